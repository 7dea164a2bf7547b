/**
 * Transformer operations, each with a forward and a backward, and the decoder block composed of
 * them. No loss, no learning rate, no quantizer lives here.
 */
package io.shardpress.kernels.nn;
