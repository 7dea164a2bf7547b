package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights and importances at the ends of what f32 holds: every rule gives usable steps. */
class HardWeightsTest {
  private static final int ROWS = 6;
  private static final int IN = 48;

  static List<StepRule> rules() {
    return List.of(
        new MinMax(),
        new RangeSearch(20, 0.4, 1, 2),
        new RangeSearch(20, 0.4, 1, 2.4),
        new FixedPointSearch());
  }

  static List<Arguments> sizes() {
    List<Arguments> all = new ArrayList<>();
    for (double size : new double[] {0, 1e-44, 1e-40, 1e-38, 1e-30, 1e-10, 1, 1e10, 1e25, 1e37}) {
      rules().forEach(rule -> all.add(Arguments.of(size, rule)));
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void sizesOfAllKinds(double size, StepRule rule) {
    float[] w = Arrays64.gaussian(new Random(1), ROWS * IN, size);
    // Zeros among them, and a row of nothing else.
    for (int i = 0; i < w.length; i++) {
      w[i] = i % 5 == 0 || i / IN == 3 ? 0 : w[i];
    }
    for (WeightScheme scheme :
        List.of(new WeightScheme(4, false, 0), new WeightScheme(3, true, 16))) {
      for (ScaleFormat format : List.of(ScaleFormat.F32, ScaleFormat.BF16)) {
        QuantizedLinear linear = RoundToNearest.quantize(w, ROWS, IN, scheme, format, rule);
        float[] found = linear.dequantize();
        int length = linear.groupLength();
        for (int i = 0; i < w.length; i++) {
          float scale = linear.steps().scales()[i / length];
          assertThat(1 / scale).as("1/%s", scale).isBetween(0f, Float.MAX_VALUE).isNotZero();
          // Far beyond the step that the whole range has nobody is, whatever was searched.
          double step = Math.max(3 * absMax(w, i / length * length, length) / 7, 1e-7);
          assertThat(Math.abs((double) found[i] - w[i])).isLessThanOrEqualTo(4 * step);
          assertThat(w[i] != 0 || found[i] == 0).isTrue();
        }
      }
    }
    if (size >= 1e-30) {
      WeightScheme eight = new WeightScheme(8, false, 0);
      float[] found =
          RoundToNearest.quantize(w, ROWS, IN, eight, ScaleFormat.F32, rule).dequantize();
      double error = 0;
      double squares = 0;
      for (int i = 0; i < w.length; i++) {
        error += Math.pow((double) found[i] - w[i], 2);
        squares += Math.pow(w[i], 2);
      }
      // Where a scale is below f32's epsilon the format's own smallest one is taken, but only then.
      assertThat(error).isLessThan(1e-3 * squares);
    }
  }

  /** An importance that is no use leaves a step that is: never wider than the range. */
  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, 0, Float.MIN_VALUE, 3e38f})
  void importancesOfAllKinds(float importance) {
    float[] w = Arrays64.gaussian(new Random(2), IN, 1);
    float[] weights = new float[IN];
    Arrays.fill(weights, importance);
    WeightScheme scheme = new WeightScheme(4, false, 0);
    Steps whole = RoundToNearest.steps(w, 1, IN, scheme, ScaleFormat.F32, new MinMax(), null);
    for (StepRule rule : rules()) {
      Steps found = RoundToNearest.steps(w, 1, IN, scheme, ScaleFormat.F32, rule, weights);
      assertThat(found.scales()[0]).isBetween(whole.scales()[0] * 0.39f, whole.scales()[0] * 1.01f);
    }
  }

  private static double absMax(float[] w, int from, int length) {
    double absMax = 0;
    for (int i = from; i < from + length; i++) {
      absMax = Math.max(absMax, Math.abs(w[i]));
    }
    return absMax;
  }
}
