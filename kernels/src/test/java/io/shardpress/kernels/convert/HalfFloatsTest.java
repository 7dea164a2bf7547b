package io.shardpress.kernels.convert;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.safetensors.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HalfFloatsTest {
  /** A 16-bit format by its definition, in f64: (−1)^s · 1.m · 2^(e−bias), and so on. */
  private enum Format {
    F16(5, 10) {
      @Override
      float decode(int bits) {
        return HalfFloats.fromF16((short) bits);
      }

      @Override
      short encode(float value) {
        return HalfFloats.toF16(value);
      }
    },
    BF16(8, 7) {
      @Override
      float decode(int bits) {
        return HalfFloats.fromBf16((short) bits);
      }

      @Override
      short encode(float value) {
        return HalfFloats.toBf16(value);
      }
    };

    private final int exponentBits;
    private final int mantissaBits;

    Format(int exponentBits, int mantissaBits) {
      this.exponentBits = exponentBits;
      this.mantissaBits = mantissaBits;
    }

    abstract float decode(int bits);

    abstract short encode(float value);

    int infinity() {
      return ((1 << exponentBits) - 1) << mantissaBits;
    }

    double defined(int bits) {
      int bias = (1 << (exponentBits - 1)) - 1;
      int exponent = (bits & 0x7fff) >> mantissaBits;
      int mantissa = bits & ((1 << mantissaBits) - 1);
      double sign = (bits & 0x8000) == 0 ? 1 : -1;
      double fraction = Math.scalb((double) mantissa, -mantissaBits);
      if (exponent == (1 << exponentBits) - 1) {
        return mantissa == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
      }
      return exponent == 0
          ? sign * Math.scalb(fraction, 1 - bias)
          : sign * Math.scalb(1 + fraction, exponent - bias);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyBitPatternDecodesToItsDefinitionAndBack(Format format) {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float decoded = format.decode(bits);
      double wanted = format.defined(bits);
      assertThat((double) decoded).as("bits %04x", bits).isEqualTo(Double.valueOf(wanted));
      if (Double.isNaN(wanted)) {
        assertThat(format.decode(format.encode(decoded))).isNaN();
      } else {
        assertThat(format.encode(decoded)).as("bits %04x", bits).isEqualTo((short) bits);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void roundsToTheNearestAndTiesToEven(Format format) {
    for (int bits = 0; bits < format.infinity(); bits++) {
      // What would follow the largest finite value decides where infinity begins.
      double low = format.defined(bits);
      double high =
          bits + 1 == format.infinity()
              ? low + (low - format.defined(bits - 1))
              : format.defined(bits + 1);
      float middle = (float) ((low + high) / 2);
      int even = (bits & 1) == 0 ? bits : bits + 1;
      assertThat(format.encode(middle)).as("tie at %s", middle).isEqualTo((short) even);
      assertThat(format.encode(-middle)).isEqualTo((short) (even | 0x8000));
      assertThat(format.encode(Math.nextDown(middle))).isEqualTo((short) bits);
      assertThat(format.encode(Math.nextUp(middle))).isEqualTo((short) (bits + 1));
    }
    assertThat(format.decode(format.encode(Float.NaN))).isNaN();
    assertThat(format.decode(format.encode(Float.intBitsToFloat(0x7f800001)))).isNaN();
    assertThat(format.decode(format.encode(Float.MAX_VALUE))).isInfinite();
  }

  @Test
  void runsOfBytesKeepOrderOffsetsAndNeighbours() {
    Random random = new Random(7);
    for (int count : new int[] {0, 1, 3, 13, 207}) {
      for (Dtype dtype : new Dtype[] {Dtype.F32, Dtype.F16, Dtype.BF16}) {
        int width = dtype.bits() / 8;
        byte[] bytes = new byte[3 + count * width + 2];
        random.nextBytes(bytes);
        ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[count + 5];
        FloatBytes.decode(dtype, bytes, 3, values, 2, count);
        for (int i = 0; i < count; i++) {
          int at = 3 + i * width;
          double wanted =
              switch (dtype) {
                case F32 -> view.getFloat(at);
                case F16 -> Format.F16.defined(view.getShort(at) & 0xffff);
                default -> Format.BF16.defined(view.getShort(at) & 0xffff);
              };
          assertThat((double) values[2 + i]).isEqualTo(Double.valueOf(wanted));
          if (Double.isNaN(wanted)) {
            view.put(at, new byte[width]);
            values[2 + i] = 0;
          }
        }
        assertThat(values[1]).isZero();
        assertThat(values[2 + count]).isZero();
        byte[] back = bytes.clone();
        Arrays.fill(back, 3, 3 + count * width, (byte) 0x55);
        FloatBytes.encode(dtype, values, 2, back, 3, count);
        assertThat(back).isEqualTo(bytes);
      }
    }
  }
}
