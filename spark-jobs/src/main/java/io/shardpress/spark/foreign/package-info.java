/**
 * Quantized checkpoints read as the dense ones that they stand for: which tensors of a folder make
 * a weight, and what its numbers are. Knows the formats as they lie in files; learns nothing, and
 * writes nothing.
 */
package io.shardpress.spark.foreign;
