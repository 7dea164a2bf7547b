/** Threads for kernels: the caller says how many, results never depend on it. */
package io.shardpress.kernels.parallel;
