package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@OnVectors
class RangeSearchTest {
  private static final int ROWS = 20;
  private static final int IN = 96;

  static List<WeightScheme> schemes() {
    return RandomWeights.schemes();
  }

  @ParameterizedTest
  @MethodSource("schemes")
  void neverWorseThanTheWholeRange(WeightScheme scheme) {
    Random random = new Random(1);
    float[] w = RandomWeights.rows(ROWS, IN, random);
    float[] importance = Arrays64.gaussian(random, IN, 1);
    for (int i = 0; i < IN; i++) {
      importance[i] *= importance[i];
    }
    for (double power : new double[] {2, 2.4}) {
      for (float[] weights : new float[][] {null, importance}) {
        Steps whole =
            RoundToNearest.steps(w, ROWS, IN, scheme, ScaleFormat.BF16, new MinMax(), weights);
        Steps searched =
            RoundToNearest.steps(
                w, ROWS, IN, scheme, ScaleFormat.BF16, new RangeSearch(30, 0.3, 1, power), weights);
        double[] before = objective(w, scheme, whole, weights, power);
        double[] after = objective(w, scheme, searched, weights, power);
        for (int g = 0; g < before.length; g++) {
          assertThat(after[g])
              .as("%s group %s", scheme, g)
              .isLessThanOrEqualTo(before[g] * (1 + 1e-6));
        }
      }
    }
  }

  /** A row with one outlier in 512 is far better off without the whole range. */
  @Test
  void cutsAnOutlierOff() {
    float[] w = Arrays64.gaussian(new Random(2), 512, 1);
    w[100] = 12;
    WeightScheme scheme = new WeightScheme(3, false, 0);
    StepRule search = new RangeSearch(100, 0.2, 7, 2);
    Steps whole = RoundToNearest.steps(w, 1, 512, scheme, ScaleFormat.F32, new MinMax(), null);
    Steps searched = RoundToNearest.steps(w, 1, 512, scheme, ScaleFormat.F32, search, null);
    assertThat(objective(w, scheme, searched, null, 2)[0])
        .isLessThan(0.7 * objective(w, scheme, whole, null, 2)[0]);
  }

  /** With every shrink factor and zero point tried, no pair of them is better. */
  @Test
  void findsTheBestOfItsCandidates() {
    Random random = new Random(3);
    WeightScheme scheme = new WeightScheme(2, false, 0);
    for (int n = 0; n < 50; n++) {
      float[] w = Arrays64.gaussian(random, 12, 1);
      Steps found =
          RoundToNearest.steps(
              w, 1, 12, scheme, ScaleFormat.F32, new RangeSearch(16, 0.25, 3, 2), null);
      double error = objective(w, scheme, found, null, 2)[0];
      float low = 0;
      float high = 0;
      for (float value : w) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      for (int c = 0; c < 16; c++) {
        for (int zero = 0; zero < 4; zero++) {
          Steps tried = new Steps(1, 1);
          tried.scales()[0] = (float) ((high - low) * (1 - 0.75 * c / 15) / 3);
          tried.zeros()[0] = zero;
          assertThat(error)
              .isLessThanOrEqualTo(objective(w, scheme, tried, null, 2)[0] * (1 + 1e-5));
        }
      }
    }
  }

  private static double[] objective(
      float[] w, WeightScheme scheme, Steps steps, float[] importance, double power) {
    int in = w.length / steps.out();
    int length = in / steps.groups();
    double[] sums = new double[steps.scales().length];
    int most = (1 << scheme.bits()) - 1;
    for (int i = 0; i < w.length; i++) {
      int g = i / length;
      double scale = steps.scales()[g];
      double code = Math.rint(w[i] / steps.scales()[g]) + steps.zeros()[g];
      double error = w[i] - scale * (Math.min(Math.max(code, 0), most) - steps.zeros()[g]);
      double weight = importance == null ? 1 : importance[i % in];
      sums[g] += weight * Math.pow(Math.abs(error), power);
    }
    return sums;
  }
}
