/**
 * A third kind of job, as somebody else might write it: a checkpoint copied, and its sums beside
 * it.
 */
package io.shardpress.spark.job.sums;
