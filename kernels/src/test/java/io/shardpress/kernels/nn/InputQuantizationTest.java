package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.quant.ActivationStep;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Random;
import org.junit.jupiter.api.Test;

@OnVectors
class InputQuantizationTest {
  private static final int ROWS = 27;

  /** Integers without the block, as a token's greatest magnitude is a tie, which f64 may break. */
  @Test
  void dynamicIntegersAreAtMostHalfAStepAway() {
    int width = 50;
    float[] x = Arrays64.gaussian(new Random(4), ROWS * width, 3);
    float[] found = new float[x.length];
    new InputQuantization.PerToken(ActivationFormat.INT8)
        .apply(Stage.DOWN, ROWS, width, x, found, Workers.single());
    for (int i = 0; i < x.length; i++) {
      double scale = EightBitOracle.absMax(Arrays64.of(x), i / width * width, width) / 127.5;
      double code = found[i] / scale;
      assertThat(code).isCloseTo(Math.rint(code), within(1e-4)).isBetween(-128.001, 127.001);
      assertThat(Math.abs(found[i] - x[i])).isLessThanOrEqualTo((float) (0.50001 * scale));
    }
  }

  /** From the least to the greatest element in 255 steps, one of them at zero. */
  @Test
  void dynamicIntegersWithZeroPointsReachTheTokensRange() {
    int width = 50;
    float[] x = Arrays64.gaussian(new Random(5), ROWS * width, 3);
    for (int i = 0; i < width; i++) {
      x[i] = Math.abs(x[i]) + 10;
    }
    float[] found = new float[x.length];
    new InputQuantization.PerTokenAsymmetric()
        .apply(Stage.DOWN, ROWS, width, x, found, Workers.single());
    for (int row = 0; row < ROWS; row++) {
      double least = 0;
      double greatest = 0;
      for (int i = row * width; i < (row + 1) * width; i++) {
        least = Math.min(least, x[i]);
        greatest = Math.max(greatest, x[i]);
      }
      double scale = (greatest - least) / 255;
      for (int i = row * width; i < (row + 1) * width; i++) {
        double steps = found[i] / scale;
        assertThat(steps).isCloseTo(Math.rint(steps), within(1e-4));
        // The zero point is rounded, so that an end may lie half a step outside.
        assertThat((double) found[i]).isCloseTo(x[i], within(1.001 * scale));
        assertThat((double) found[i]).isBetween(least - 0.51 * scale, greatest + 0.51 * scale);
      }
    }
  }

  @Test
  void stepsThatCannotBeAreRefused() {
    for (int zero : new int[] {-1, 256}) {
      assertThatThrownBy(() -> new ActivationStep(ActivationFormat.INT8, 1, zero))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new ActivationStep(ActivationFormat.FP8_E4M3, 1, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new ActivationStep(ActivationFormat.INT8, 0, 128))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Tokens of nothing stay nothing, and what is not a number is not hidden. */
  @Test
  void zeroTokensAndBrokenOnes() {
    for (ActivationFormat format : ActivationFormat.values()) {
      float[] x = new float[3 * 40];
      x[45] = Float.NaN;
      x[100] = 1e-42f;
      float[] found = new float[x.length];
      new InputQuantization.PerToken(format).apply(Stage.O, 3, 40, x, found, Workers.single());
      for (int i = 0; i < 40; i++) {
        assertThat(found[i]).isZero();
        assertThat(found[80 + i]).isBetween(0f, 1e-30f);
      }
      assertThat(found[45]).isNaN();
    }
  }
}
