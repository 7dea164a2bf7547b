package io.shardpress.kernels.learn;

import java.util.Arrays;
import java.util.Locale;

/**
 * SmoothQuant (arXiv 2211.10438, eq. 4): s_j = max|X_j|^α / max|W_j|^(1−α) moves a part of the
 * activations' outliers into the weights. The weights are those of all linears that read the same
 * input.
 */
public final class SmoothQuant {
  private static final double FLOOR = 1e-5;

  private SmoothQuant() {}

  /**
   * The scales of the input channels, at least 1e-5. A channel in which no input or no weight
   * differs from zero keeps 1: there is nothing to balance.
   *
   * @param inputAbsMax max|X_j| [in]
   * @param weightAbsMax max|W_j| [in], see {@link #addColumnMaxima}
   * @param alpha how much moves into the weights, from 0 to 1
   * @throws ArithmeticException where a maximum is not finite
   */
  public static ChannelScales scales(float[] inputAbsMax, float[] weightAbsMax, double alpha) {
    if (!(alpha >= 0 && alpha <= 1)) {
      throw new IllegalArgumentException("alpha is " + alpha + ", wanted 0 to 1");
    }
    float[] scales = new float[inputAbsMax.length];
    Arrays.fill(scales, 1);
    for (int i = 0; i < scales.length; i++) {
      float x = inputAbsMax[i];
      float w = weightAbsMax[i];
      if (!(x >= 0 && w >= 0 && x <= Float.MAX_VALUE && w <= Float.MAX_VALUE)) {
        throw new ArithmeticException(
            String.format(
                Locale.ROOT,
                "channel %d: max|X| is %s and max|W| %s, wanted finite numbers of at least 0",
                i,
                x,
                w));
      }
      if (x > 0 && w > 0) {
        // StrictMath: the same bits on every JDK and processor.
        double scale = StrictMath.pow(x, alpha) / StrictMath.pow(w, 1 - alpha);
        scales[i] = (float) Math.min(Math.max(scale, FLOOR), Float.MAX_VALUE);
      }
    }
    return new ChannelScales(scales);
  }

  /**
   * maxima_j ← max(maxima_j, max|W_j|), to be called for each linear that reads the input.
   *
   * @param w [out×in]
   * @param maxima [in], zeros at first
   */
  public static void addColumnMaxima(float[] w, int out, float[] maxima) {
    int in = maxima.length;
    for (int row = 0; row < out; row++) {
      for (int i = 0; i < in; i++) {
        maxima[i] = Math.max(maxima[i], Math.abs(w[row * in + i]));
      }
    }
  }
}
