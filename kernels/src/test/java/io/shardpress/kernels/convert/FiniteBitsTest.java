package io.shardpress.kernels.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.shardpress.schemas.safetensors.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FiniteBitsTest {
  /** Every 16-bit pattern by itself among ones, at every place of a word and behind its end. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void everyPatternIsFiniteWhereItsValueIs(Dtype dtype) {
    int count = 7;
    short one = dtype == Dtype.F16 ? (short) 0x3C00 : (short) 0x3F80;
    ByteBuffer bytes = ByteBuffer.allocate(2 * count + 1).order(ByteOrder.LITTLE_ENDIAN);
    for (int pattern = 0; pattern < 1 << 16; pattern++) {
      float value =
          dtype == Dtype.F16
              ? HalfFloats.fromF16((short) pattern)
              : HalfFloats.fromBf16((short) pattern);
      for (int place = 0; place < count; place++) {
        for (int i = 0; i < count; i++) {
          bytes.putShort(1 + 2 * i, i == place ? (short) pattern : one);
        }
        if (FiniteBits.allFinite(dtype, bytes.array(), 1, count) != Float.isFinite(value)) {
          fail("%04x at %d", pattern, place);
        }
      }
    }
  }

  @Test
  void floatsAreFiniteWhereTheirValuesAre() {
    Random random = new Random(5);
    ByteBuffer bytes = ByteBuffer.allocate(4 * 3).order(ByteOrder.LITTLE_ENDIAN);
    int[] hard = {
      0x7F7FFFFF, 0x7F800000, 0x7F800001, 0xFF800000, 0x7FC00000, 0xFF7FFFFF, 0x80000000
    };
    for (int i = 0; i < 200_000; i++) {
      int bits = i < hard.length ? hard[i] : random.nextInt();
      int place = random.nextInt(3);
      bytes.clear();
      for (int j = 0; j < 3; j++) {
        bytes.putInt(j == place ? bits : 0xC0490FDB);
      }
      assertThat(FiniteBits.allFinite(Dtype.F32, bytes.array(), 0, 3))
          .as("%08x at %d", bits, place)
          .isEqualTo(Float.isFinite(Float.intBitsToFloat(bits)));
    }
  }
}
