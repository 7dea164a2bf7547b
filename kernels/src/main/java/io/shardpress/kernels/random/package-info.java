/** Random numbers that depend on what they are for alone: (seed, block, tensor). */
package io.shardpress.kernels.random;
