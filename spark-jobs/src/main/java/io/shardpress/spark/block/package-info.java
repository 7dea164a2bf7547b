/**
 * What a task knows of a block: where its weights lie, which of its linears are quantized, tiles of
 * rows.
 */
package io.shardpress.spark.block;
