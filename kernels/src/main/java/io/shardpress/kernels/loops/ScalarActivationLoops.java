package io.shardpress.kernels.loops;

/** The definition of every loop. */
final class ScalarActivationLoops implements ActivationLoops {
  /** The largest number of E4M3. */
  static final float LARGEST = 448;

  /** The smallest number whose spacing is relative; below it, all lie 2⁻⁹ apart. */
  static final float SMALLEST_NORMAL = 0x1p-6f;

  /** The exponent of an f32, all else zero. */
  static final int EXPONENT = 0x7F800000;

  /**
   * Times a number's power of two: adding and taking away what comes out leaves 3 bits behind the
   * first, as an f32 near 1.5·2²⁰·2ᵉ has no room for more.
   */
  static final float THREE_BITS = 0x1.8p20f;

  @Override
  public void range(float[] x, int at, int length, float[] range) {
    float least = Float.POSITIVE_INFINITY;
    float greatest = Float.NEGATIVE_INFINITY;
    for (int i = at; i < at + length; i++) {
      least = Math.min(least, x[i]);
      greatest = Math.max(greatest, x[i]);
    }
    range[0] = least;
    range[1] = greatest;
  }

  @Override
  public void fakeQuantizeE4m3(float[] x, float[] quantized, int at, int length, float scale) {
    for (int i = at; i < at + length; i++) {
      float bounded = Math.min(Math.max(x[i] / scale, -LARGEST), LARGEST);
      float power = Float.intBitsToFloat(Float.floatToRawIntBits(bounded) & EXPONENT);
      float rounder = Math.max(power, SMALLEST_NORMAL) * THREE_BITS;
      quantized[i] = ((bounded + rounder) - rounder) * scale;
    }
  }
}
