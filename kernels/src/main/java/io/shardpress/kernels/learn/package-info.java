/**
 * Learners: what a linear or a block is quantized to, given statistics or samples of its inputs.
 * They read arrays and return arrays; which task runs them where is not their business.
 */
package io.shardpress.kernels.learn;
