/** Summaries of tensors' values: range, mean, deviation, and what is not a number. */
package io.shardpress.kernels.statistics;
