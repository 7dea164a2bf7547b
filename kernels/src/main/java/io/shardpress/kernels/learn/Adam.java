package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.AdamConstants;
import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.Workers;

/**
 * Adam (arXiv 1412.6980, algorithm 1) with β₁ = 0.9 and ε = 1e-8 over one array of parameters,
 * which may be a slice of more: no parameter sees another.
 */
public final class Adam {
  private static final float EPSILON = 1e-8f;
  private static final int TILE = 1 << 14;

  private final float[] mean;
  private final float[] variance;
  private final float beta2;

  /** With β₂ = 0.999 and moments of zero. */
  Adam(int parameters) {
    this(new float[parameters], new float[parameters], AdamConstants.BETA_2);
  }

  /**
   * Goes on from moments that were kept.
   *
   * @param mean m, changed in place by {@link #update}, zeros at first
   * @param variance v, likewise
   * @param beta2 β₂, such as {@link AdamConstants#SHORT_BETA_2}
   */
  public Adam(float[] mean, float[] variance, float beta2) {
    this.mean = mean;
    this.variance = variance;
    this.beta2 = beta2;
  }

  /** m, as long as the parameters. */
  public float[] mean() {
    return mean;
  }

  /** v, as long as the parameters. */
  public float[] variance() {
    return variance;
  }

  /**
   * Changes {@code parameters} by one step.
   *
   * @param step counted from 1
   */
  public void update(
      float[] parameters, float[] gradients, int step, double learningRate, Workers workers) {
    double correction = Math.sqrt(1 - StrictMath.pow(beta2, step));
    float rate =
        (float) (learningRate * correction / (1 - StrictMath.pow(AdamConstants.BETA_1, step)));
    float epsilon = (float) (EPSILON * correction);
    workers.forEach(
        (parameters.length + TILE - 1) / TILE,
        tile -> {
          int end = Math.min(parameters.length, (tile + 1) * TILE);
          Loops.chosen()
              .adam(parameters, gradients, mean, variance, tile * TILE, end, rate, epsilon, beta2);
        });
  }
}
