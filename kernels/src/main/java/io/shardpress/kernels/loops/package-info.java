/**
 * One-pass loops over arrays behind three interfaces, for blocks, for quantizers and for AutoRound,
 * each of them scalar (the oracle) and on the Vector API. Products of matrices are in {@code
 * matmul}.
 */
package io.shardpress.kernels.loops;
