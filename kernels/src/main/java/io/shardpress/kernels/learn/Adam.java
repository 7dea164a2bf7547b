package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.AdamConstants;
import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.Workers;

/**
 * Adam (arXiv 1412.6980, algorithm 1) with β = (0.9, 0.999) and ε = 1e-8, over one array of
 * parameters.
 */
final class Adam {
  private static final float EPSILON = 1e-8f;
  private static final int TILE = 1 << 14;

  private final float[] mean;
  private final float[] variance;

  Adam(int parameters) {
    mean = new float[parameters];
    variance = new float[parameters];
  }

  /**
   * Changes {@code parameters} by one step.
   *
   * @param step counted from 1
   */
  void update(
      float[] parameters, float[] gradients, int step, double learningRate, Workers workers) {
    double correction = Math.sqrt(1 - StrictMath.pow(AdamConstants.BETA_2, step));
    float rate =
        (float) (learningRate * correction / (1 - StrictMath.pow(AdamConstants.BETA_1, step)));
    float epsilon = (float) (EPSILON * correction);
    workers.forEach(
        (parameters.length + TILE - 1) / TILE,
        tile -> {
          int end = Math.min(parameters.length, (tile + 1) * TILE);
          Loops.chosen()
              .adam(parameters, gradients, mean, variance, tile * TILE, end, rate, epsilon);
        });
  }
}
