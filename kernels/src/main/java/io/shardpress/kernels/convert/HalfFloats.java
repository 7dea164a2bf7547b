package io.shardpress.kernels.convert;

/**
 * The two 16-bit formats, by their bits. bfloat16 is the upper half of an f32; binary16 (IEEE 754)
 * has 5 exponent bits with bias 15 and 10 mantissa bits, below 2⁻¹⁴ steps of 2⁻²⁴. To f32 is exact;
 * from f32 rounds to the nearest, ties to even, beyond the range to infinity. JDK 17 has neither.
 */
public final class HalfFloats {
  static final int F32_INFINITY = 0x7f800000;

  /** Half way between the largest binary16, 65504, and what would follow it, in f32 bits. */
  static final int F16_OVERFLOW = 0x477ff000;

  /** 2⁻¹⁴, the smallest normal binary16, in f32 bits. */
  static final int F16_SMALLEST_NORMAL = 0x38800000;

  /** Difference of the exponents' biases, 127 − 15, where an f32 has its exponent. */
  static final int REBIAS = 112 << 23;

  /** The smallest normal binary16, and infinity, in their own bits. */
  static final int F16_NORMAL = 0x0400;

  static final int F16_INFINITY = 0x7c00;

  private HalfFloats() {}

  /** The value of a bfloat16. */
  public static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** The nearest bfloat16; a NaN stays one. */
  public static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7fffffff) > F32_INFINITY) {
      // Its upper half alone could be an infinity.
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }

  /** The value of a binary16. */
  public static float fromF16(short bits) {
    int sign = (bits & 0x8000) << 16;
    int magnitude = bits & 0x7fff;
    if (magnitude >= F16_INFINITY) {
      return Float.intBitsToFloat(sign | F32_INFINITY | (magnitude << 13));
    }
    if (magnitude >= F16_NORMAL) {
      return Float.intBitsToFloat(sign | ((magnitude << 13) + REBIAS));
    }
    return Float.intBitsToFloat(sign | Float.floatToRawIntBits(magnitude * 0x1p-24f));
  }

  /** The nearest binary16; a NaN stays one. */
  public static short toF16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7fffffff;
    if (magnitude > F32_INFINITY) {
      return (short) (sign | 0x7e00 | (magnitude >>> 13 & 0x3ff));
    }
    if (magnitude >= F16_OVERFLOW) {
      return (short) (sign | F16_INFINITY);
    }
    if (magnitude >= F16_SMALLEST_NORMAL) {
      int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
      return (short) (sign | ((rounded - REBIAS) >>> 13));
    }
    // In steps of 2⁻²⁴; the product is exact in f64, and 1024 steps are the smallest normal.
    return (short) (sign | (int) Math.rint(Float.intBitsToFloat(magnitude) * 0x1p24));
  }
}
