/**
 * The arithmetic: matmul, quantizers, learners, transformer blocks, evaluation metrics. Arrays and
 * records in, arrays and records out; no file, no Spark, no Hadoop.
 */
package io.shardpress.kernels;
