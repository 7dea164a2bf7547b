/**
 * Floating-point formats of checkpoints to and from f32: one value at a time, and whole runs of
 * little-endian bytes. Quantized integers are not formats and live elsewhere.
 */
package io.shardpress.kernels.convert;
