/**
 * Partitions of calibration windows on their way through the blocks, and what is observed there.
 */
package io.shardpress.spark.sweep;
