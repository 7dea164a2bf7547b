package io.shardpress.kernels.bench;

import java.util.SplittableRandom;

/** Inputs that are neither zero nor denormal. */
final class RandomArrays {
  private RandomArrays() {}

  /** Uniform in [−1, 1). */
  static float[] uniform(int length, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) (2 * random.nextDouble() - 1);
    }
    return values;
  }
}
