package io.shardpress.kernels.quant;

import java.io.Serializable;

/**
 * How a tensor or a token of activations is rounded to eight bits: integers as scale·(clamp(round(x
 * / scale) + zero, 0, 255) − zero), FP8 as scale·e4m3(x/scale).
 *
 * @param scale above 0
 * @param zero the code 0…255 of zero, 128 where symmetric; a stored signed zero point is 128 less.
 *     Always 128 for FP8
 */
public record ActivationStep(ActivationFormat format, float scale, int zero)
    implements Serializable {
  public ActivationStep {
    // NaN and infinity pass: they are what such tokens make, and must reach the results.
    if (scale <= 0) {
      throw new IllegalArgumentException("scale is " + scale + ", wanted a number above 0");
    }
    boolean symmetric = zero == ActivationFormat.MIDDLE;
    if (zero < 0
        || zero > ActivationFormat.LARGEST_CODE
        || (format == ActivationFormat.FP8_E4M3 && !symmetric)) {
      throw new IllegalArgumentException(
          "zero is " + zero + ", wanted 128 for FP8 and 0 to 255 for integers");
    }
  }

  /** The symmetric step that reaches {@code absMax}. */
  public static ActivationStep symmetric(ActivationFormat format, float absMax) {
    return new ActivationStep(format, format.scale(absMax), ActivationFormat.MIDDLE);
  }

  /** The integers' step from {@code least} to {@code greatest}, zero among them. */
  public static ActivationStep asymmetric(float least, float greatest) {
    float low = Math.min(least, 0);
    float high = Math.max(greatest, 0);
    float scale = ActivationFormat.usable((high - low) / ActivationFormat.LARGEST_CODE);
    int zero = (int) Math.rint(-low / scale);
    return new ActivationStep(
        ActivationFormat.INT8, scale, Math.min(zero, ActivationFormat.LARGEST_CODE));
  }

  /**
   * Rounds {@code length} elements.
   *
   * @param at where they begin in x and in the result, which may be x
   */
  public void fakeQuantize(float[] x, float[] quantized, int at, int length) {
    format.fakeQuantize(x, quantized, at, length, scale, zero);
  }
}
