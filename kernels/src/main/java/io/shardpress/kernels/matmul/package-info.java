/** Matrix products behind one interface: scalar (the oracle), Vector API, OpenBLAS. */
package io.shardpress.kernels.matmul;
