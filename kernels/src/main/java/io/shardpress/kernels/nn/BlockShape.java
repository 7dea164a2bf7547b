package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.LinearRole;

/**
 * The sizes and switches of a decoder block.
 *
 * @param hidden width of the residual stream
 * @param ffn width of the feed-forward
 * @param heads query heads
 * @param kvHeads key and value heads; divides heads
 * @param headDim elements of a head
 * @param epsilon added to the mean square in norms
 * @param inverseFrequencies [headDim/2] radians per position
 * @param slidingWindow positions that a query sees, itself included; 0 for all before it
 */
public record BlockShape(
    int hidden,
    int ffn,
    int heads,
    int kvHeads,
    int headDim,
    double epsilon,
    double[] inverseFrequencies,
    int slidingWindow) {
  /** Width of the concatenated query heads. */
  public int queryWidth() {
    return heads * headDim;
  }

  /** Width of the concatenated key or value heads. */
  public int keyWidth() {
    return kvHeads * headDim;
  }

  /** Rows of a linear's weight. */
  public int out(LinearRole role) {
    return switch (role) {
      case Q -> queryWidth();
      case K, V -> keyWidth();
      case O, DOWN -> hidden;
      case GATE, UP -> ffn;
    };
  }

  /** Columns of a linear's weight. */
  public int in(LinearRole role) {
    return switch (role) {
      case Q, K, V, GATE, UP -> hidden;
      case O -> queryWidth();
      case DOWN -> ffn;
    };
  }
}
