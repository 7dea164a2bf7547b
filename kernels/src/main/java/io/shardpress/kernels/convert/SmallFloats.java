package io.shardpress.kernels.convert;

/**
 * The floating-point numbers of eight and four bits that weights are stored in. FP8 E4M3 as OCP has
 * it (arXiv 2209.05433): 4 exponent bits with bias 7, 3 mantissa bits, largest 448, below 2⁻⁶ steps
 * of 2⁻⁹, no infinity, NaN only as 0x7F and 0xFF. FP4 E2M1 (OCP Microscaling 1.0): 0, ½, 1, 1½, 2,
 * 3, 4, 6 and their negatives. E8M0, for scales: 2^(e−127), NaN as 255.
 */
public final class SmallFloats {
  /** The largest number of E4M3. */
  public static final float E4M3_LARGEST = 448;

  /** The largest number of E2M1. */
  public static final float E2M1_LARGEST = 6;

  private static final float[] E4M3 = new float[256];
  private static final float[] E2M1 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

  static {
    for (int code = 0; code < 128; code++) {
      int exponent = code >> 3;
      int mantissa = code & 7;
      float value =
          exponent == 0 ? mantissa * 0x1p-9f : Math.scalb(1 + mantissa / 8f, exponent - 7);
      E4M3[code] = code == 127 ? Float.NaN : value;
      E4M3[code | 128] = -E4M3[code];
    }
  }

  private SmallFloats() {}

  /** The value of an E4M3; NaN for 0x7F and 0xFF. */
  public static float fromE4m3(byte code) {
    return E4M3[code & 0xFF];
  }

  /** The nearest E4M3, ties to even, beyond ±448 ±448; NaN stays one. */
  public static byte toE4m3(float value) {
    int sign = Float.floatToRawIntBits(value) >>> 24 & 0x80;
    float magnitude = Math.abs(value);
    if (Float.isNaN(value)) {
      return (byte) 0x7F;
    }
    if (magnitude >= E4M3_LARGEST) {
      return (byte) (sign | 0x7E);
    }
    if (magnitude < 0x1p-6f) {
      // In steps of 2⁻⁹; eight of them are the smallest normal, whose code follows.
      return (byte) (sign | (int) Math.rint(magnitude * 512));
    }
    int bits = Float.floatToRawIntBits(magnitude);
    int rounded = bits + 0x7FFFF + (bits >>> 20 & 1);
    return (byte) (sign | (rounded >>> 20) - (120 << 3));
  }

  /** The value of an E2M1 in the low four bits. */
  public static float fromE2m1(int code) {
    float magnitude = E2M1[code & 7];
    return (code & 8) == 0 ? magnitude : -magnitude;
  }

  /** The nearest E2M1, ties to the even mantissa, beyond ±6 ±6. */
  public static int toE2m1(float value) {
    float magnitude = Math.abs(value);
    int code = 0;
    while (code < 7) {
      float middle = (E2M1[code] + E2M1[code + 1]) / 2;
      // From an even code up only beyond the middle, from an odd one at the middle already.
      boolean up = (code & 1) == 0 ? magnitude > middle : magnitude >= middle;
      if (!up) {
        break;
      }
      code++;
    }
    return Float.floatToRawIntBits(value) < 0 ? code | 8 : code;
  }

  /** The value of an E8M0; NaN for 255. */
  public static float fromE8m0(byte code) {
    int exponent = code & 0xFF;
    return exponent == 255 ? Float.NaN : Math.scalb(1f, exponent - 127);
  }
}
