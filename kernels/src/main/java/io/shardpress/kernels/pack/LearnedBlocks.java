package io.shardpress.kernels.pack;

import io.shardpress.kernels.convert.HalfFloats;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.gguf.GgufType;

/**
 * Learned integers in GGUF's blocks of 32, as they are: nothing is rounded again but Q4_1's
 * minimum. With unsigned codes u of a group with scale d and zero z:
 *
 * <ul>
 *   <li>Q4_0: d as f16, 16 bytes, byte j holds code j below and code j + 16 above; w = (u − 8)·d
 *   <li>Q4_1: d and m = −z·d as f16, the same 16 bytes; w = u·d + m
 *   <li>Q8_0: d as f16, 32 signed bytes u − 128; w = (u − 128)·d
 * </ul>
 *
 * A group is a run of blocks, each of which has its scale.
 */
public final class LearnedBlocks {
  private static final int BLOCK = 32;
  private static final int HALF = 16;

  private LearnedBlocks() {}

  /**
   * What the f16 of Q4_1's minimum costs: how far all weights of a group move, counted in their
   * steps, where rounding itself moves each by up to 0.5.
   *
   * @param largest of all groups
   * @param rms over all groups
   */
  public record MinimumError(double largest, double rms) implements java.io.Serializable {}

  /**
   * Packs rows.
   *
   * @param codes [rows × in], unsigned
   * @param steps of the whole linear; groups are of a multiple of 32 columns
   * @param firstRow in {@code steps}, of the first row of {@code codes}
   * @return [rows × in] in blocks
   * @throws IllegalArgumentException for other types, and for scales that f16 does not hold
   * @throws ArithmeticException where f16 does not reach a minimum; its message is the minimum
   */
  public static byte[] pack(
      GgufType type, byte[] codes, int rows, int in, Steps steps, int firstRow) {
    byte[] packed = new byte[Math.toIntExact(type.bytes((long) rows * in))];
    int length = in / steps.groups();
    if (length % BLOCK != 0) {
      throw new IllegalArgumentException("groups of " + length + ", want a multiple of " + BLOCK);
    }
    int at = 0;
    int head = type == GgufType.Q4_1 ? 4 : 2;
    int group = firstRow * steps.groups();
    for (int i = 0; i < rows * in; i += length, group++) {
      float scale = steps.scales()[group];
      exact(scale);
      int first = at;
      put(packed, at, scale);
      if (type == GgufType.Q4_1) {
        put(packed, at + 2, BlockRounding.half(minimum(scale, steps.zeros()[group])));
      }
      for (int block = i; block < i + length; block += BLOCK) {
        System.arraycopy(packed, first, packed, at, head);
        switch (type) {
          case Q4_0, Q4_1 -> nibbles(codes, block, packed, at + head);
          case Q8_0 -> bytes(codes, block, packed, at + head);
          default -> throw new IllegalArgumentException(type + " holds no learned integers");
        }
        at += type.blockBytes();
      }
    }
    return packed;
  }

  /** What Q4_1 costs these steps. */
  public static MinimumError minimumError(Steps steps) {
    double largest = 0;
    double squares = 0;
    int groups = steps.scales().length;
    for (int group = 0; group < groups; group++) {
      float scale = steps.scales()[group];
      double wanted = -(double) steps.zeros()[group] * scale;
      double stored = HalfFloats.fromF16(HalfFloats.toF16(minimum(scale, steps.zeros()[group])));
      double error = Math.abs(stored - wanted) / scale;
      largest = Math.max(largest, error);
      squares += error * error;
    }
    return new MinimumError(largest, Math.sqrt(squares / groups));
  }

  /** −z·d, exact in f32: d has 11 bits at most, z 4. */
  private static float minimum(float scale, int zero) {
    return -zero * scale;
  }

  private static void nibbles(byte[] codes, int from, byte[] packed, int at) {
    for (int j = 0; j < HALF; j++) {
      packed[at + j] = (byte) ((codes[from + j] & 15) | ((codes[from + HALF + j] & 15) << 4));
    }
  }

  private static void bytes(byte[] codes, int from, byte[] packed, int at) {
    for (int j = 0; j < BLOCK; j++) {
      packed[at + j] = (byte) (codes[from + j] - 128);
    }
  }

  private static void exact(float scale) {
    if (HalfFloats.fromF16(HalfFloats.toF16(scale)) != scale) {
      throw new IllegalArgumentException("scale " + scale + " is no f16");
    }
  }

  static void put(byte[] packed, int at, float half) {
    short bits = HalfFloats.toF16(half);
    packed[at] = (byte) bits;
    packed[at + 1] = (byte) (bits >>> 8);
  }
}
