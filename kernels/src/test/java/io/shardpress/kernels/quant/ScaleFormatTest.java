package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.convert.HalfFloats;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScaleFormatTest {
  private static final int F16_FINITE = 0x7C00;
  private static final int BF16_FINITE = 0x7F80;

  /** Every number of the format, and what lies between it and the next. */
  @ParameterizedTest
  @EnumSource(
      value = ScaleFormat.class,
      names = {"BF16", "F16"})
  void roundsToTheNearer(ScaleFormat format) {
    int finite = format == ScaleFormat.F16 ? F16_FINITE : BF16_FINITE;
    for (int code = 0; code + 1 < finite; code++) {
      float low = value(format, code);
      float high = value(format, code + 1);
      float even = code % 2 == 0 ? low : high;
      // The sum may overflow, the difference does not.
      float middle = (float) (low + ((double) high - low) / 2);
      check(format, low, low);
      check(format, high, high);
      check(format, middle, even);
      if (low < Math.nextDown(middle)) {
        check(format, Math.nextDown(middle), low);
        check(format, Math.nextUp(middle), high);
        check(format, Math.nextUp(low), low);
        check(format, Math.nextDown(high), high);
      }
    }
  }

  @Test
  void beyondTheLargestIsTheLargest() {
    check(ScaleFormat.F16, 1e6f, value(ScaleFormat.F16, F16_FINITE - 1));
    check(ScaleFormat.BF16, Float.MAX_VALUE, value(ScaleFormat.BF16, BF16_FINITE - 1));
  }

  /** Between neighbours of the numbers that are bf16 and f16, found by trying all of bf16. */
  @Test
  void theFormatOfTwoRoundsToWhatBothHold() {
    float low = 0;
    int found = 0;
    for (int code = 1; code < BF16_FINITE; code++) {
      float high = value(ScaleFormat.BF16, code);
      if (HalfFloats.fromF16(HalfFloats.toF16(high)) != high) {
        continue;
      }
      float middle = (low + high) / 2;
      check(ScaleFormat.BF16_AND_F16, high, high);
      check(ScaleFormat.BF16_AND_F16, Math.nextDown(middle), low);
      check(ScaleFormat.BF16_AND_F16, Math.nextUp(middle), high);
      low = high;
      found++;
    }
    // 33 binades of 128 numbers from 2^-17 on, and 127 below.
    assertThat(found).isEqualTo(33 * 128 + 127);
    check(ScaleFormat.BF16_AND_F16, 1e6f, low);
  }

  @ParameterizedTest
  @EnumSource(ScaleFormat.class)
  void usableScalesAreStoredAndPositive(ScaleFormat format) {
    for (float scale : new float[] {0, -0f, 1e-30f, 1e-12f, 3e-8f, 1e-3f, 1, 70_000, 3e38f}) {
      float usable = format.usable(scale);
      assertThat(usable).as("%s", scale).isPositive().isFinite();
      assertThat(format.round(usable)).isEqualTo(usable);
      assertThat(1 / usable).isFinite();
    }
  }

  private static void check(ScaleFormat format, float scale, float wanted) {
    // Plain comparison: an assertion each would take minutes for all of them.
    if (format.round(scale) != wanted || format.round(-scale) != -wanted) {
      assertThat(format.round(scale)).as("%s of %s", format, scale).isEqualTo(wanted);
      assertThat(format.round(-scale)).as("%s of %s", format, -scale).isEqualTo(-wanted);
    }
  }

  private static float value(ScaleFormat format, int code) {
    return format == ScaleFormat.F16
        ? HalfFloats.fromF16((short) code)
        : Float.intBitsToFloat(code << 16);
  }
}
