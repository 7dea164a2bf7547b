package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.parallel.Workers;

/**
 * Some windows of a partition in a block.
 *
 * @param first of the windows, counted in the partition
 * @param count of windows
 * @param window tokens of each
 */
public record Batch(
    BlockShape shape,
    BlockWeights weights,
    BlockActivations activations,
    int first,
    int count,
    int window,
    Workers workers) {
  /** Tokens. */
  public int rows() {
    return count * window;
  }
}
