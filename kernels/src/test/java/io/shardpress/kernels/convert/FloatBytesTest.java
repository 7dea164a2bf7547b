package io.shardpress.kernels.convert;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.safetensors.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs of 16-bit numbers against {@link HalfFloats}, one by one and to the bit. */
@OnVectors
class FloatBytesTest {
  private static final int ALL = 1 << 16;

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  private static float decode(Dtype dtype, short bits) {
    return dtype == Dtype.F16 ? HalfFloats.fromF16(bits) : HalfFloats.fromBf16(bits);
  }

  private static short encode(Dtype dtype, float value) {
    return dtype == Dtype.F16 ? HalfFloats.toF16(value) : HalfFloats.toBf16(value);
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void everyBitPatternDecodesAsOneByOne(Dtype dtype) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * ALL + 1).order(ByteOrder.LITTLE_ENDIAN);
    float[] wanted = new float[ALL];
    for (int i = 0; i < ALL; i++) {
      bytes.putShort(1 + 2 * i, (short) i);
      wanted[i] = decode(dtype, (short) i);
    }
    float[] found = new float[ALL];
    FloatBytes.decode(dtype, bytes.array(), 1, found, 0, ALL);
    assertThat(bits(found)).containsExactly(bits(wanted));
  }

  /**
   * Every upper half with lower ones that round down, up, and at a tie by the last bit that is
   * kept: binary16 keeps three bits of the lower half.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 0xfff, 0x1000, 0x1001, 0x3000, 0x7fff, 0x8000, 0x8001, 0xf000, 0xffff})
  void everyUpperHalfEncodesAsOneByOne(int lower) {
    for (Dtype dtype : new Dtype[] {Dtype.F16, Dtype.BF16}) {
      float[] values = new float[ALL];
      ByteBuffer wanted = ByteBuffer.allocate(2 * ALL + 1).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < ALL; i++) {
        values[i] = Float.intBitsToFloat(i << 16 | lower);
        wanted.putShort(1 + 2 * i, encode(dtype, values[i]));
      }
      byte[] found = new byte[2 * ALL + 1];
      FloatBytes.encode(dtype, values, 0, found, 1, ALL);
      assertThat(found).isEqualTo(wanted.array());
    }
  }

  /** Numbers of every kind stand at every place of a vector, and in what is left over. */
  @Test
  void runsOfAnyLengthKeepTheirNeighbours() {
    for (int count = 0; count <= 70; count++) {
      for (Dtype dtype : new Dtype[] {Dtype.F16, Dtype.BF16}) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * count + 5).order(ByteOrder.LITTLE_ENDIAN);
        float[] wanted = new float[count + 3];
        Arrays.fill(wanted, 7);
        for (int i = 0; i < count; i++) {
          short half = (short) (40503 * (i + count));
          bytes.putShort(3 + 2 * i, half);
          wanted[2 + i] = decode(dtype, half);
        }
        float[] found = new float[count + 3];
        Arrays.fill(found, 7);
        FloatBytes.decode(dtype, bytes.array(), 3, found, 2, count);
        assertThat(bits(found)).containsExactly(bits(wanted));

        byte[] back = new byte[2 * count + 5];
        FloatBytes.encode(dtype, found, 2, back, 3, count);
        ByteBuffer wantedBack = ByteBuffer.allocate(back.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count; i++) {
          wantedBack.putShort(3 + 2 * i, encode(dtype, found[2 + i]));
        }
        assertThat(back).isEqualTo(wantedBack.array());
      }
    }
  }
}
