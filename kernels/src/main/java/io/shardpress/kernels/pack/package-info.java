/**
 * Small integers as formats lay them out: in 32-bit words, as compressed-tensors has them, and in
 * GGUF's blocks with their scales.
 */
package io.shardpress.kernels.pack;
