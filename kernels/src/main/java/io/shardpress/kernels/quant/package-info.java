/**
 * Integer grids, and how weights get onto them without any data: steps, zero points, rounding.
 * Eight-bit activations, whose ranges are observed. Learners that need activations are in {@code
 * learn}.
 */
package io.shardpress.kernels.quant;
