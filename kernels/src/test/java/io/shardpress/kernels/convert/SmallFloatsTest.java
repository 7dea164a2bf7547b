package io.shardpress.kernels.convert;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SmallFloatsTest {
  /** Sign, 4 bits of exponent with bias 7, 3 of mantissa; no infinity. */
  @Test
  void e4m3IsReadByItsDefinition() {
    for (int code = 0; code < 256; code++) {
      int exponent = code >> 3 & 15;
      int mantissa = code & 7;
      double magnitude =
          exponent == 0
              ? Math.pow(2, -6) * mantissa / 8
              : Math.pow(2, exponent - 7) * (1 + mantissa / 8.0);
      double wanted = (code & 127) == 127 ? Double.NaN : code < 128 ? magnitude : -magnitude;
      assertThat((double) SmallFloats.fromE4m3((byte) code)).isEqualTo(Double.valueOf(wanted));
    }
    assertThat(SmallFloats.fromE4m3((byte) 0x7E)).isEqualTo(448);
  }

  @Test
  void e4m3IsTheNearestWithTiesToEven() {
    for (int code = 0; code < 0x7E; code++) {
      float below = SmallFloats.fromE4m3((byte) code);
      float above = SmallFloats.fromE4m3((byte) (code + 1));
      float middle = (below + above) / 2;
      int even = code % 2 == 0 ? code : code + 1;
      assertThat(SmallFloats.toE4m3(below)).isEqualTo((byte) code);
      assertThat(SmallFloats.toE4m3(Math.nextDown(middle))).isEqualTo((byte) code);
      assertThat(SmallFloats.toE4m3(middle)).isEqualTo((byte) even);
      assertThat(SmallFloats.toE4m3(Math.nextUp(middle))).isEqualTo((byte) (code + 1));
      assertThat(SmallFloats.toE4m3(-middle)).isEqualTo((byte) (even | 128));
    }
    assertThat(SmallFloats.toE4m3(1e9f)).isEqualTo((byte) 0x7E);
    assertThat(SmallFloats.toE4m3(Float.NEGATIVE_INFINITY)).isEqualTo((byte) 0xFE);
    assertThat(SmallFloats.toE4m3(Float.MIN_VALUE)).isZero();
    assertThat(SmallFloats.fromE4m3(SmallFloats.toE4m3(Float.NaN))).isNaN();
  }

  /** What activations are rounded to is what weights are stored as. */
  @Test
  void e4m3IsThatOfActivations() {
    Random random = new Random(3);
    float[] x = new float[1 << 12];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(24) - 14));
    }
    float[] rounded = new float[x.length];
    io.shardpress.kernels.loops.ActivationLoops.chosen()
        .fakeQuantizeE4m3(x, rounded, 0, x.length, 1);
    for (int i = 0; i < x.length; i++) {
      assertThat(SmallFloats.fromE4m3(SmallFloats.toE4m3(x[i]))).isEqualTo(rounded[i]);
    }
  }

  @Test
  void e2m1HasItsFewNumbersAndTies() {
    float[] values = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    for (int code = 0; code < 8; code++) {
      assertThat(SmallFloats.fromE2m1(code)).isEqualTo(values[code]);
      assertThat(SmallFloats.fromE2m1(code | 8)).isEqualTo(-values[code]);
      assertThat(SmallFloats.toE2m1(values[code])).isEqualTo(code);
    }
    float[][] ties = {
      {0.25f, 0}, {0.75f, 1}, {1.25f, 1}, {1.75f, 2}, {2.5f, 2}, {3.5f, 4}, {5, 4}, {99, 6}
    };
    for (float[] tie : ties) {
      assertThat(SmallFloats.fromE2m1(SmallFloats.toE2m1(tie[0]))).isEqualTo(tie[1]);
      assertThat(SmallFloats.fromE2m1(SmallFloats.toE2m1(-tie[0]))).isEqualTo(-tie[1]);
    }
    assertThat(SmallFloats.fromE2m1(SmallFloats.toE2m1(0.2501f))).isEqualTo(0.5f);
    assertThat(SmallFloats.fromE2m1(SmallFloats.toE2m1(4.999f))).isEqualTo(4);
  }

  @Test
  void e8m0ArePowersOfTwo() {
    assertThat(SmallFloats.fromE8m0((byte) 127)).isEqualTo(1);
    assertThat(SmallFloats.fromE8m0((byte) 0)).isEqualTo(0x1p-127f);
    assertThat(SmallFloats.fromE8m0((byte) 254)).isEqualTo(0x1p127f);
    assertThat(SmallFloats.fromE8m0((byte) 255)).isNaN();
  }
}
