/**
 * How far a compressed model's next-token distributions are from the original's. Which text, and
 * how the models are walked, is not its matter.
 */
package io.shardpress.kernels.metrics;
