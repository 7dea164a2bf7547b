/**
 * Linear algebra of symmetric matrices on top of the matmul interface: rank updates, Cholesky
 * factors, triangular inverses, solves. What is done with the factors lives with the quantizers.
 */
package io.shardpress.kernels.linalg;
