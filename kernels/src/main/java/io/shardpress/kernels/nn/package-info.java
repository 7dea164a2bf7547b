/**
 * Transformer operations, each with a forward and a backward, and the decoder block composed of
 * them; a block may round its activations as a runtime would. No loss, no learning rate, no
 * quantizer of weights lives here.
 */
package io.shardpress.kernels.nn;
