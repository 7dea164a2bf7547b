package io.shardpress.kernels.convert;

import io.shardpress.schemas.safetensors.Dtype;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Whether little-endian F32, F16 or BF16 elements are all finite: the exponent of NaN and of
 * infinities is all ones. Of eight bytes at a time, the exponents alone plus their lowest bit carry
 * into the sign's place where one is all ones, and nowhere else.
 */
public final class FiniteBits {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private FiniteBits() {}

  /**
   * @param count elements from byte {@code offset} on
   * @throws IllegalArgumentException where the dtype is none of the three
   */
  public static boolean allFinite(Dtype dtype, byte[] bytes, int offset, int count) {
    return switch (dtype) {
      case F32 ->
          allFinite(bytes, offset, 4 * count, 0x7F80_0000_7F80_0000L, 0x0080_0000_0080_0000L);
      case F16 ->
          allFinite(bytes, offset, 2 * count, 0x7C00_7C00_7C00_7C00L, 0x0400_0400_0400_0400L);
      case BF16 ->
          allFinite(bytes, offset, 2 * count, 0x7F80_7F80_7F80_7F80L, 0x0080_0080_0080_0080L);
      default ->
          throw new IllegalArgumentException("found dtype " + dtype + ", wanted F32, F16 or BF16");
    };
  }

  private static boolean allFinite(
      byte[] bytes, int offset, int length, long exponents, long lowest) {
    long carried = 0;
    int whole = length & -Long.BYTES;
    for (int i = 0; i < whole; i += Long.BYTES) {
      carried |= ((long) LONGS.get(bytes, offset + i) & exponents) + lowest;
    }
    long rest = 0;
    for (int i = whole; i < length; i++) {
      rest |= (bytes[offset + i] & 0xFFL) << (8 * (i - whole));
    }
    carried |= (rest & exponents) + lowest;
    // The signs' places are above the exponents'.
    return (carried & ~exponents & (exponents << 1)) == 0;
  }
}
