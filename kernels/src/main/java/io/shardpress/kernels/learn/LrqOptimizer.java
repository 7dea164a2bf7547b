package io.shardpress.kernels.learn;

import io.shardpress.kernels.parallel.Workers;

/** Adam over all parameters of one {@link LrqLinear}. */
public final class LrqOptimizer {
  private final LrqLinear linear;
  private final Adam[] moments;

  /** Starts with moments of zero. */
  public LrqOptimizer(LrqLinear linear) {
    this.linear = linear;
    moments = new Adam[linear.parameters().length];
    for (int p = 0; p < moments.length; p++) {
      moments[p] = new Adam(linear.parameters()[p].length);
    }
  }

  /**
   * Changes the parameters by one step along the gradients of the last {@link LrqLinear#backward}.
   *
   * @param step counted from 1
   */
  public void step(int step, double learningRate, Workers workers) {
    for (int p = 0; p < moments.length; p++) {
      moments[p].update(linear.parameters()[p], linear.gradients()[p], step, learningRate, workers);
    }
  }
}
