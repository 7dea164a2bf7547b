package io.shardpress.kernels.pack;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.convert.HalfFloats;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.safetensors.Dtype;

/**
 * Weights that nothing was learned for, in GGUF's types, each block by its own range: plain
 * rounding. Scales are rounded to f16 first, then weights by the scale that is stored.
 */
public final class BlockRounding {
  private static final int Q8_LARGEST = 127;

  private BlockRounding() {}

  /** Whether {@link #round} has the type: all but those for learned integers alone. */
  public static boolean handles(GgufType type) {
    return type != GgufType.Q4_0 && type != GgufType.Q4_1;
  }

  /**
   * Rounds {@code count} weights from {@code from} on: whole blocks.
   *
   * @return their bytes
   * @throws IllegalArgumentException for types that only learned integers have
   * @throws ArithmeticException where f16 does not reach a weight or scale; its message is that
   */
  public static byte[] round(GgufType type, float[] weights, int from, int count) {
    byte[] bytes = new byte[Math.toIntExact(type.bytes(count))];
    switch (type) {
      case F32 -> FloatBytes.encode(Dtype.F32, weights, from, bytes, 0, count);
      case BF16 -> FloatBytes.encode(Dtype.BF16, weights, from, bytes, 0, count);
      case F16 -> {
        for (int i = from; i < from + count; i++) {
          half(weights[i]);
        }
        FloatBytes.encode(Dtype.F16, weights, from, bytes, 0, count);
      }
      case Q8_0, Q4_K, Q6_K -> {
        int at = 0;
        for (int i = from; i < from + count; i += type.blockElements()) {
          switch (type) {
            case Q8_0 -> q8(weights, i, bytes, at);
            case Q4_K -> FourBitBlock.round(weights, i, bytes, at);
            default -> SixBitBlock.round(weights, i, bytes, at);
          }
          at += type.blockBytes();
        }
      }
      default -> throw new IllegalArgumentException(type + " is for learned integers");
    }
    return bytes;
  }

  /** d = absmax/127 as f16, then 32 signed bytes; w = q·d. */
  private static void q8(float[] weights, int from, byte[] bytes, int at) {
    int length = GgufType.Q8_0.blockElements();
    float largest = 0;
    for (int i = from; i < from + length; i++) {
      largest = Math.max(largest, Math.abs(weights[i]));
    }
    float d = half(largest / Q8_LARGEST);
    LearnedBlocks.put(bytes, at, d);
    for (int i = 0; i < length; i++) {
      bytes[at + 2 + i] = (byte) place(weights[from + i], d, -Q8_LARGEST, Q8_LARGEST);
    }
  }

  /**
   * The nearest f16.
   *
   * @throws ArithmeticException where there is none; its message is the value
   */
  static float half(float value) {
    float half = HalfFloats.fromF16(HalfFloats.toF16(value));
    if (Float.isInfinite(half)) {
      throw new ArithmeticException(String.valueOf(value));
    }
    return half;
  }

  /** The integer in [least, most] nearest to w/step; 0 where the step is. */
  static int place(float w, float step, int least, int most) {
    if (step == 0) {
      return 0;
    }
    return (int) Math.min(Math.max(Math.rint(w / (double) step), least), most);
  }
}
