package io.shardpress.kernels.loops;

/**
 * e^x in f32 to within 1 ulp where it is above 2⁻²⁴, and below to 2⁻⁵⁰: x = n·ln 2 + r with |r| ≤
 * ln 2 / 2, a minimax polynomial for e^r (the coefficients of Cephes' expf), and n added to the
 * exponent.
 *
 * <p>Results below 2⁻⁵⁰ are zero. Beside a softmax's sum they are nothing, but what is made of them
 * soon has no normal form any more, and processors take many times longer for such numbers: blocks
 * whose attention rests on few tokens would take longer to learn than others.
 */
@SuppressWarnings("FloatingPointLiteralPrecision") // constants as they are published
final class ExpPolynomial {
  static final float LOG2_E = 1.44269504f;
  // ln 2 in two parts, the first with few enough bits that n·LN2_HIGH is exact.
  static final float LN2_HIGH = 0.693359375f;
  static final float LN2_LOW = -2.12194440e-4f;
  static final float LARGEST = 88.0f;

  /** ln 2⁻⁵⁰: arguments below are taken as this. */
  static final float SMALLEST = -34.657359f;

  /** 1.5·2²³: adding and taking it away rounds to the nearest integer, ties to even. */
  static final float ROUNDER = 12582912f;

  static final float P5 = 1.9875691500e-4f;
  static final float P4 = 1.3981999507e-3f;
  static final float P3 = 8.3334519073e-3f;
  static final float P2 = 4.1665795894e-2f;
  static final float P1 = 1.6666665459e-1f;
  static final float P0 = 5.0000001201e-1f;

  static final int MANTISSA_BITS = 23;

  /** Turns the bits of ROUNDER + n into n with the exponent's bias: n stands in their low end. */
  static final int TO_EXPONENT = 127 - Float.floatToRawIntBits(ROUNDER);

  /** What SMALLEST gives: taken away from every result, which changes none that is above 2⁻²⁵. */
  static final float NOTHING = whole(SMALLEST);

  private ExpPolynomial() {}

  /** e^x; arguments above 88 are taken as that. */
  static float of(float x) {
    return whole(Math.min(Math.max(x, SMALLEST), LARGEST)) - NOTHING;
  }

  private static float whole(float y) {
    float shifted = Math.fma(y, LOG2_E, ROUNDER);
    float n = shifted - ROUNDER;
    float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, y));
    float p = Math.fma(r, P5, P4);
    p = Math.fma(p, r, P3);
    p = Math.fma(p, r, P2);
    p = Math.fma(p, r, P1);
    p = Math.fma(p, r, P0);
    p = Math.fma(p, r * r, r) + 1;
    return p
        * Float.intBitsToFloat((Float.floatToRawIntBits(shifted) + TO_EXPONENT) << MANTISSA_BITS);
  }
}
