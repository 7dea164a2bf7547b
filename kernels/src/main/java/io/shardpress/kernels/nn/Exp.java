package io.shardpress.kernels.nn;

/**
 * e^x in f32 to within 1 ulp, the same bits everywhere: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a
 * minimax polynomial for e^r (the coefficients of Cephes' expf), and n added to the exponent.
 */
public final class Exp {
  private static final float LOG2_E = 1.44269504f;
  // ln 2 in two parts, the first with few enough bits that n·LN2_HIGH is exact.
  private static final float LN2_HIGH = 0.693359375f;
  private static final float LN2_LOW = -2.12194440e-4f;
  private static final float LARGEST = 88.0f;
  private static final float SMALLEST = -87.0f;
  // Adding and taking away 1.5·2^23 rounds to the nearest integer without a call.
  private static final float ROUNDER = 12582912f;

  private Exp() {}

  /** e^x; arguments beyond [−87, 88] are taken as those. */
  public static float of(float x) {
    float y = Math.min(Math.max(x, SMALLEST), LARGEST);
    float n = (y * LOG2_E + ROUNDER) - ROUNDER;
    float r = (y - n * LN2_HIGH) - n * LN2_LOW;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1;
    return p * Float.intBitsToFloat((int) n + 127 << 23);
  }
}
