/**
 * One-pass loops over arrays behind interfaces, for blocks, for quantizers, for AutoRound and for
 * quantized activations, each of them scalar (the oracle) and on the Vector API. Products of
 * matrices are in {@code matmul}.
 */
package io.shardpress.kernels.loops;
