package io.shardpress.kernels.reference;

import java.util.Random;

/** Arrays of tests: f64 copies, and random values that f32 holds exactly. */
public final class Arrays64 {
  private Arrays64() {}

  /** The same values in f64. */
  public static double[] of(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  /** Normally distributed values with the given standard deviation. */
  public static float[] gaussian(Random random, int n, double deviation) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return values;
  }

  /** Σ x·y. */
  public static double dot(double[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}
