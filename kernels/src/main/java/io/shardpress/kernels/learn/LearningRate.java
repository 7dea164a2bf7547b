package io.shardpress.kernels.learn;

/**
 * A learning rate that falls to zero over a run.
 *
 * @param first of iteration 0
 * @param iterations of the run
 */
public record LearningRate(double first, int iterations, Decay decay) {
  /** The way in which it falls. */
  public enum Decay {
    /** lr·(1 + cos(π·i/n))/2, as LRQ and FlexRound have it. */
    COSINE,
    /** lr·(1 − i/n), as AutoRound has it. */
    LINEAR
  }

  /**
   * @param iteration counted from 0
   */
  double at(int iteration) {
    return switch (decay) {
      case COSINE -> first * 0.5 * (1 + StrictMath.cos(Math.PI * iteration / iterations));
      case LINEAR -> first * (1 - (double) iteration / iterations);
    };
  }
}
