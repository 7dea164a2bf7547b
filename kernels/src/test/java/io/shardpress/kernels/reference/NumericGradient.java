package io.shardpress.kernels.reference;

import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;

/**
 * Central differences in f64, (f(x + h) − f(x − h))/2h with h = 1e-5: for values near 1 the cut-off
 * error is about 1e-10 and so is the rounding error.
 */
public final class NumericGradient {
  private static final double STEP = 1e-5;

  private NumericGradient() {}

  /**
   * Asserts that {@code gradient} is the gradient of {@code loss} by {@code x}, at up to {@code
   * samples} randomly chosen elements, each within {@code tolerance} times the rms of these.
   *
   * @param x read by the loss; moved and put back
   */
  public static void check(
      String what,
      DoubleSupplier loss,
      double[] x,
      float[] gradient,
      int samples,
      double tolerance) {
    int[] chosen = elements(x.length, samples);
    double[] wanted = new double[chosen.length];
    float[] found = new float[chosen.length];
    for (int s = 0; s < chosen.length; s++) {
      int i = chosen[s];
      double before = x[i];
      x[i] = before + STEP;
      double above = loss.getAsDouble();
      x[i] = before - STEP;
      double below = loss.getAsDouble();
      x[i] = before;
      wanted[s] = (above - below) / (2 * STEP);
      found[s] = gradient[i];
    }
    Difference.assertWithin("∂loss/∂" + what, found, wanted, tolerance);
  }

  private static int[] elements(int n, int samples) {
    IntStream chosen =
        n <= samples ? IntStream.range(0, n) : new Random(n).ints(0, n).distinct().limit(samples);
    return chosen.toArray();
  }
}
