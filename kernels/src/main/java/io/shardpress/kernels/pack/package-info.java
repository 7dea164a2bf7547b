/**
 * Small integers in 32-bit words, as compressed-tensors lays them out. Scales are not its matter.
 */
package io.shardpress.kernels.pack;
