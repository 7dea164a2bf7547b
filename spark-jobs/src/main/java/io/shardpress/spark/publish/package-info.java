/**
 * The finished checkpoint: shards put together from parts, the files around them, and the manifest,
 * which is written last. Also what checks a checkpoint against its manifest.
 */
package io.shardpress.spark.publish;
