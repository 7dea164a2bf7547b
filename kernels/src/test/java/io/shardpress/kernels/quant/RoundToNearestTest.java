package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RoundToNearestTest {
  private static final int ROWS = 40;
  private static final int IN = 96;

  static List<WeightScheme> schemes() {
    return RandomWeights.schemes();
  }

  @ParameterizedTest
  @MethodSource("schemes")
  void minMaxKeepsEveryWeightWithinHalfAStep(WeightScheme scheme) {
    float[] w = RandomWeights.rows(ROWS, IN, new Random(1));
    Steps exact = RoundToNearest.steps(w, ROWS, IN, scheme, ScaleFormat.F32, new MinMax(), null);
    for (ScaleFormat format : ScaleFormat.values()) {
      QuantizedLinear linear = RoundToNearest.quantize(w, ROWS, IN, scheme, format, new MinMax());
      float[] found = linear.dequantize();
      int length = linear.groupLength();
      assertThat(length).isEqualTo(scheme.groupSize() == 0 ? IN : scheme.groupSize());
      for (int i = 0; i < w.length; i++) {
        double scale = linear.steps().scales()[i / length];
        // A scale that was rounded down for storing reaches less far, by so many steps.
        double lost = Math.abs(exact.scales()[i / length] / scale - 1) * (1 << scheme.bits());
        assertThat(Math.abs((double) w[i] - found[i]) / scale)
            .as("%s %s w[%s] = %s, ŵ = %s, scale %s", scheme, format, i, w[i], found[i], scale)
            .isLessThanOrEqualTo(0.5 + 5e-5 + lost);
      }
    }
  }

  /** No other code is nearer, whatever the step. */
  @ParameterizedTest
  @MethodSource("schemes")
  void theCodeIsTheNearestOfAll(WeightScheme scheme) {
    Grid grid = Grid.of(scheme);
    Random random = new Random(2);
    for (int n = 0; n < 2000; n++) {
      float scale = (float) Math.exp(random.nextGaussian() * 3);
      int zero = scheme.symmetric() ? grid.middle() : random.nextInt(grid.largest() + 1);
      float w = (float) (random.nextGaussian() * scale * grid.largest());
      int found = grid.code(w, scale, zero);
      double error = Math.abs((double) scale * (found - zero) - w);
      for (int code = 0; code <= grid.largest(); code++) {
        double other = Math.abs((double) scale * (code - zero) - w);
        assertThat(error).isLessThanOrEqualTo(other + 1e-5 * scale);
      }
    }
  }

  @Test
  void codesFarBeyondTheGridAreItsEnds() {
    Grid grid = new Grid(4, false);
    for (float w : new float[] {100, 1e12f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
      assertThat(grid.code(w, 1e-7f, 8)).as("%s", w).isEqualTo(15);
      assertThat(grid.code(-w, 1e-7f, 8)).as("%s", -w).isEqualTo(0);
    }
  }

  @ParameterizedTest
  @MethodSource("schemes")
  void zeroIsExact(WeightScheme scheme) {
    float[] w = RandomWeights.rows(ROWS, IN, new Random(3));
    for (int i = 0; i < w.length; i += 5) {
      w[i] = 0;
    }
    for (StepRule rule : List.of(new MinMax(), new RangeSearch(20, 0.4, 1, 2.4))) {
      QuantizedLinear linear = RoundToNearest.quantize(w, ROWS, IN, scheme, ScaleFormat.BF16, rule);
      float[] found = linear.dequantize();
      for (int i = 0; i < w.length; i++) {
        if (w[i] == 0) {
          assertThat(found[i]).as("%s %s", scheme, i).isZero();
        }
      }
      for (int zero : linear.steps().zeros()) {
        assertThat(zero).isBetween(0, (1 << scheme.bits()) - 1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("schemes")
  void whatIsOnTheGridStays(WeightScheme scheme) {
    float[] w = RandomWeights.rows(ROWS, IN, new Random(4));
    QuantizedLinear once =
        RoundToNearest.quantize(w, ROWS, IN, scheme, ScaleFormat.F16, new MinMax());
    QuantizedLinear again =
        QuantizedLinear.round(once.dequantize(), ROWS, IN, scheme, once.steps());
    assertThat(again.codes()).isEqualTo(once.codes());
    float[] into = new float[w.length];
    again.dequantize(into);
    assertThat(into).isEqualTo(once.dequantize());
  }

  /** Rows are independent, and so are groups: each is rounded as if it were alone. */
  @ParameterizedTest
  @MethodSource("schemes")
  void groupsAreIndependent(WeightScheme scheme) {
    float[] w = RandomWeights.rows(ROWS, IN, new Random(5));
    float[] whole =
        RoundToNearest.quantize(w, ROWS, IN, scheme, ScaleFormat.BF16, new MinMax()).dequantize();
    int length = scheme.groupSize() == 0 ? IN : scheme.groupSize();
    WeightScheme alone = new WeightScheme(scheme.bits(), scheme.symmetric(), 0);
    for (int g = 0; g < w.length / length; g++) {
      float[] group = Arrays.copyOfRange(w, g * length, (g + 1) * length);
      float[] found =
          RoundToNearest.quantize(group, 1, length, alone, ScaleFormat.BF16, new MinMax())
              .dequantize();
      for (int i = 0; i < length; i++) {
        assertThat(found[i]).isEqualTo(whole[g * length + i]);
      }
    }
  }
}
