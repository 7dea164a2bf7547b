package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import java.io.Serializable;

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
    int slidingWindow)
    implements Serializable {
  /** The sizes that config.json gives for every block. */
  public static BlockShape of(ModelConfig config) {
    return new BlockShape(
        config.hiddenSize(),
        config.intermediateSize(),
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        config.rmsNormEps(),
        RopeFrequencies.of(config),
        config.slidingWindow() == null ? 0 : config.slidingWindow());
  }

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
