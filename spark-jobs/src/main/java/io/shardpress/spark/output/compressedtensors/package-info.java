/** Checkpoints that vLLM and Transformers load, as compressed-tensors. */
package io.shardpress.spark.output.compressedtensors;
