/**
 * One-pass loops over arrays behind two interfaces, for blocks and for quantizers, each of them
 * scalar (the oracle) and on the Vector API. Products of matrices are in {@code matmul}.
 */
package io.shardpress.kernels.loops;
