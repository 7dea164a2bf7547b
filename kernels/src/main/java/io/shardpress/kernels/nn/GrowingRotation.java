package io.shardpress.kernels.nn;

/**
 * Dynamic NTK scaling: in windows of more than {@code original} tokens the base of the frequencies
 * grows with the window, θ·(f·n/original − (f − 1))^(D/(D − 2)) for n tokens; in others nothing
 * changes.
 *
 * @param theta base of the frequencies
 * @param elements D, how many of a head are rotated, above 2
 * @param factor f
 * @param original tokens of the longest window with the frequencies of theta
 */
public record GrowingRotation(double theta, int elements, double factor, int original)
    implements RotaryEmbedding {
  @Override
  public double[] frequencies(int window) {
    double base = theta;
    if (window > original) {
      double growth = factor * window / original - (factor - 1);
      base *= StrictMath.pow(growth, (double) elements / (elements - 2));
    }
    return RopeFrequencies.unscaled(base, elements);
  }

  @Override
  public double magnitude() {
    return 1;
  }
}
