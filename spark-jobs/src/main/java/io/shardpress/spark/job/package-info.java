/**
 * The order of a run: which units there are, what runs side by side, what is published. Arithmetic
 * is in kernels, one task's work in {@code unit}.
 */
package io.shardpress.spark.job;
