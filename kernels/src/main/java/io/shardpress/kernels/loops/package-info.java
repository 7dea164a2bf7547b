/**
 * One-pass loops over arrays behind one interface: scalar (the oracle) and Vector API. Products of
 * matrices are in {@code matmul}.
 */
package io.shardpress.kernels.loops;
