package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SmoothQuant's scales, and what any scales may not change. */
class ScalingTest {
  private static final int IN = 24;
  private static final int OUT = 10;

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 0.85, 1})
  void smoothQuantsFormula(double alpha) {
    Random random = new Random(1);
    float[] x = new float[IN];
    for (int i = 0; i < IN; i++) {
      x[i] = (float) Math.exp(3 * random.nextGaussian());
    }
    float[] first = Arrays64.gaussian(random, OUT * IN, 1);
    float[] second = Arrays64.gaussian(random, 3 * IN, 2);
    float[] maxima = new float[IN];
    SmoothQuant.addColumnMaxima(first, OUT, maxima);
    SmoothQuant.addColumnMaxima(second, 3, maxima);
    float[] found = SmoothQuant.scales(x, maxima, alpha).values();
    for (int j = 0; j < IN; j++) {
      double most = 0;
      for (int row = 0; row < OUT; row++) {
        most = Math.max(most, Math.abs(first[row * IN + j]));
      }
      for (int row = 0; row < 3; row++) {
        most = Math.max(most, Math.abs(second[row * IN + j]));
      }
      double wanted = Math.pow(x[j], alpha) / Math.pow(most, 1 - alpha);
      assertThat((double) found[j]).isCloseTo(wanted, within(1e-6 * wanted));
    }
  }

  /** At α = 0.5 the greatest magnitudes of x/s and W·s are equal in every channel (section 4). */
  @Test
  void aHalfBalancesBothSides() {
    float[] x = {100, 1, 0.01f};
    float[] w = {0.1f, 2, 5};
    float[] s = SmoothQuant.scales(x, w, 0.5).values();
    for (int j = 0; j < 3; j++) {
      assertThat(x[j] / s[j]).isCloseTo(w[j] * s[j], within(1e-5f * w[j] * s[j]));
    }
  }

  @Test
  void deadChannelsStayAndTinyScalesHaveAFloor() {
    float[] s =
        SmoothQuant.scales(new float[] {0, 3, 0, 1e-12f}, new float[] {2, 0, 0, 1}, 0.9).values();
    assertThat(s).containsExactly(1, 1, 1, 1e-5f);
    for (float broken : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> SmoothQuant.scales(new float[] {broken}, new float[] {1}, 0.5))
          .isInstanceOf(ArithmeticException.class)
          .hasMessageContaining("channel 0: max|X| is " + broken);
      assertThatThrownBy(() -> SmoothQuant.scales(new float[] {1}, new float[] {broken}, 0.5))
          .isInstanceOf(ArithmeticException.class);
      assertThatThrownBy(() -> new ChannelScales(new float[] {1, broken}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("scale 1 of 2 is " + broken);
    }
    assertThatThrownBy(() -> SmoothQuant.scales(new float[1], new float[1], 1.5))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** norm(x)/s·(W·s)ᵀ and (up·x)/s·(down·s)ᵀ are what they were without s. */
  @Test
  void foldingChangesNoOutput() {
    Random random = new Random(2);
    ChannelScales scales = randomScales(random);
    float[] norm = Arrays64.gaussian(random, IN, 1);
    float[] x = Arrays64.gaussian(random, IN, 1);
    float[] w = Arrays64.gaussian(random, OUT * IN, 1);
    double[] before = output(w, norm, x);
    scales.unscale(norm);
    scales.scaleColumns(w, OUT);
    Difference.assertWithin("after a norm", narrow(output(w, norm, x)), before, 1e-6);

    int width = 7;
    float[] up = Arrays64.gaussian(random, IN * width, 1);
    float[] down = Arrays64.gaussian(random, OUT * IN, 1);
    float[] input = Arrays64.gaussian(random, width, 1);
    before = output(down, apply(up, input, width), ones());
    scales.unscaleRows(up, width);
    scales.scaleColumns(down, OUT);
    Difference.assertWithin(
        "after a linear", narrow(output(down, apply(up, input, width), ones())), before, 1e-5);
    float[] again = down.clone();
    scales.unscaleColumns(again, OUT);
    scales.scaleColumns(again, OUT);
    Difference.assertWithin("back and forth", again, down, 1e-6);
  }

  /** XᵀX of x/s, from XᵀX of x. */
  @Test
  void momentsOfScaledInputs() {
    Random random = new Random(3);
    ChannelScales scales = randomScales(random);
    int tokens = 40;
    double[] x = Dense.inputs(IN, tokens, random);
    float[] h = Dense.product(IN, x, null, tokens);
    for (int i = 0; i < x.length; i++) {
      x[i] /= scales.values()[i % IN];
    }
    float[] wanted = Dense.product(IN, x, null, tokens);
    scales.unscaleMoments(h);
    for (int i = 0; i < h.length; i++) {
      double size = Math.sqrt((double) wanted[i / IN * (IN + 1)] * wanted[i % IN * (IN + 1)]);
      assertThat((double) h[i]).isCloseTo(wanted[i], within(1e-6 * size));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void storableScalesLeaveAStorableNorm(ScaleFormat format) {
    Random random = new Random(4);
    ChannelScales scales = randomScales(random);
    float[] norm = Arrays64.gaussian(random, IN, 1);
    for (int i = 0; i < IN; i++) {
      norm[i] = format.round(norm[i]);
    }
    norm[3] = 0;
    norm[4] = Float.MIN_VALUE;
    ChannelScales found = scales.storable(norm, 0, format);
    float[] divided = norm.clone();
    found.unscale(divided);
    for (int i = 0; i < IN; i++) {
      float stored = format.round(divided[i]);
      // To the rounding of f32 itself, far below the format's.
      assertThat(divided[i]).isCloseTo(stored, within(2 * Math.ulp(stored)));
      if (i != 4) {
        assertThat(found.values()[i] / scales.values()[i]).isCloseTo(1, within(0x1p-8f));
      }
    }
    assertThat(found.values()[3]).isEqualTo(scales.values()[3]);
  }

  private static ChannelScales randomScales(Random random) {
    float[] s = new float[IN];
    for (int i = 0; i < IN; i++) {
      s[i] = (float) Math.exp(2 * random.nextGaussian());
    }
    return new ChannelScales(s);
  }

  private static float[] ones() {
    float[] ones = new float[IN];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static double[] output(float[] w, float[] norm, float[] x) {
    double[] y = new double[OUT];
    for (int row = 0; row < OUT; row++) {
      for (int i = 0; i < IN; i++) {
        y[row] += (double) w[row * IN + i] * norm[i] * x[i];
      }
    }
    return y;
  }

  private static float[] apply(float[] w, float[] x, int width) {
    float[] y = new float[IN];
    for (int row = 0; row < IN; row++) {
      double sum = 0;
      for (int i = 0; i < width; i++) {
        sum += (double) w[row * width + i] * x[i];
      }
      y[row] = (float) sum;
    }
    return y;
  }

  private static float[] narrow(double[] wide) {
    float[] values = new float[wide.length];
    for (int i = 0; i < wide.length; i++) {
      values[i] = (float) wide[i];
    }
    return values;
  }
}
