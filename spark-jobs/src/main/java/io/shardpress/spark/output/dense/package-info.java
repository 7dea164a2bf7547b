/** Dense checkpoints, made from quantized ones. */
package io.shardpress.spark.output.dense;
