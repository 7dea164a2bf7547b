package io.shardpress.kernels.convert;

import io.shardpress.kernels.matmul.VectorWidth;
import io.shardpress.schemas.safetensors.Dtype;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Runs of little-endian F32, F16 and BF16 elements to and from f32 arrays. */
public final class FloatBytes {
  private static final VarHandle SHORTS =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private FloatBytes() {}

  /** Made on first use, so that a process that never converts loads no Vector API. */
  private static final class Chosen {
    static final boolean VECTORS = VectorWidth.chosen() != 0;
  }

  /** Whether {@link #decode} takes the dtype. */
  public static boolean handles(Dtype dtype) {
    return dtype == Dtype.F32 || dtype == Dtype.F16 || dtype == Dtype.BF16;
  }

  /**
   * Decodes {@code count} elements, exactly.
   *
   * @param offset of the first byte in {@code bytes}
   * @param at index of the first element in {@code values}
   * @throws IllegalArgumentException where the dtype is none of the three
   */
  public static void decode(
      Dtype dtype, byte[] bytes, int offset, float[] values, int at, int count) {
    switch (dtype) {
      case F32 -> Words.read(bytes, offset, values, at, count);
      case F16 -> {
        int done = Chosen.VECTORS ? VectorHalves.decodeF16(bytes, offset, values, at, count) : 0;
        for (int i = done; i < count; i++) {
          values[at + i] = HalfFloats.fromF16((short) SHORTS.get(bytes, offset + 2 * i));
        }
      }
      case BF16 -> {
        int done = Chosen.VECTORS ? VectorHalves.decodeBf16(bytes, offset, values, at, count) : 0;
        for (int i = done; i < count; i++) {
          values[at + i] = HalfFloats.fromBf16((short) SHORTS.get(bytes, offset + 2 * i));
        }
      }
      default -> throw unknown(dtype);
    }
  }

  /** All of {@code values} in a dtype that {@link #handles}, in a new array. */
  public static byte[] encode(Dtype dtype, float[] values) {
    byte[] bytes = new byte[Math.toIntExact(dtype.bytes(values.length))];
    encode(dtype, values, 0, bytes, 0, values.length);
    return bytes;
  }

  /**
   * Encodes {@code count} elements, each rounded to the nearest, ties to even.
   *
   * @param at index of the first element in {@code values}
   * @param offset of the first byte in {@code bytes}
   * @throws IllegalArgumentException where the dtype is none of the three
   */
  public static void encode(
      Dtype dtype, float[] values, int at, byte[] bytes, int offset, int count) {
    switch (dtype) {
      case F32 -> Words.write(values, at, bytes, offset, count);
      case F16 -> {
        int done = Chosen.VECTORS ? VectorHalves.encodeF16(values, at, bytes, offset, count) : 0;
        for (int i = done; i < count; i++) {
          SHORTS.set(bytes, offset + 2 * i, HalfFloats.toF16(values[at + i]));
        }
      }
      case BF16 -> {
        int done = Chosen.VECTORS ? VectorHalves.encodeBf16(values, at, bytes, offset, count) : 0;
        for (int i = done; i < count; i++) {
          SHORTS.set(bytes, offset + 2 * i, HalfFloats.toBf16(values[at + i]));
        }
      }
      default -> throw unknown(dtype);
    }
  }

  private static IllegalArgumentException unknown(Dtype dtype) {
    return new IllegalArgumentException("found dtype " + dtype + ", wanted F32, F16 or BF16");
  }
}
