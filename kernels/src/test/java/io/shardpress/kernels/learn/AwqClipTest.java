package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class AwqClipTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int TOKENS = 50;

  /** The range with the least error of the group's part of the output, token by token in f64. */
  @ParameterizedTest
  @CsvSource({"4,false,8", "3,true,16", "2,false,0"})
  void clipsWhereTheOutputLosesLeast(int bits, boolean symmetric, int group) {
    int in = 32;
    int out = 23;
    Random random = new Random(7);
    double[] x = Dense.inputs(in, TOKENS, random);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    int groups = scheme.groups(in);
    int length = in / groups;
    float[] limits =
        new AwqClip(scheme, ScaleFormat.F32, MATMUL)
            .limits(w, out, in, Dense.product(in, x, null, TOKENS), Workers.single());
    float[] ones = new float[in];
    Arrays.fill(ones, 1);
    int cut = 0;
    for (int g = 0; g < out * groups; g++) {
      float most = 0;
      for (int i = g * length; i < (g + 1) * length; i++) {
        most = Math.max(most, Math.abs(w[i]));
      }
      double least = Double.POSITIVE_INFINITY;
      double found = Double.NaN;
      for (int c = 0; c < 10; c++) {
        float limit = (float) (20 - c) / 20 * most;
        float[] clipped = new float[length];
        for (int i = 0; i < length; i++) {
          clipped[i] = Math.min(Math.max(w[g * length + i], -limit), limit);
        }
        double[] rounded = AwqOracle.rounded(clipped, length, ones, bits, symmetric, 0);
        double error = 0;
        for (int t = 0; t < TOKENS; t++) {
          double sum = 0;
          for (int i = 0; i < length; i++) {
            sum += x[t * in + g % groups * length + i] * (w[g * length + i] - rounded[i]);
          }
          error += sum * sum;
        }
        least = Math.min(least, error);
        if (Math.abs(limits[g] - limit) < 1e-6 * most) {
          found = error;
        }
      }
      assertThat(found).as("group %s", g).isLessThanOrEqualTo(least * (1 + 1e-3));
      cut += limits[g] < 0.99 * most ? 1 : 0;
    }
    assertThat(cut).isGreaterThan(out * groups / 10);
    float[] applied = w.clone();
    new AwqClip(scheme, ScaleFormat.F32, MATMUL).apply(applied, out, in, limits);
    for (int i = 0; i < w.length; i++) {
      float limit = limits[i / length];
      assertThat(applied[i]).isEqualTo(Math.abs(w[i]) <= limit ? w[i] : Math.signum(w[i]) * limit);
    }
  }

  @Test
  void clippingWithoutInputsKeepsTheRangeAndQueriesAreLeftAlone() {
    AwqClip clip = new AwqClip(new WeightScheme(4, true, 0), ScaleFormat.F32, MATMUL);
    float[] w = {1, -3, 2, 0.5f};
    assertThat(clip.limits(w, 2, 2, new float[4], Workers.single())).containsExactly(3, 2);
    float[] broken = {1, 0, 0, Float.NaN};
    assertThatThrownBy(() -> clip.limits(w, 2, 2, broken, Workers.single()))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("row 0, group 0: the error is NaN");
    assertThat(AwqClip.takes(LinearRole.Q)).isFalse();
    assertThat(AwqClip.takes(LinearRole.K)).isFalse();
    assertThat(AwqClip.takes(LinearRole.V)).isTrue();
    assertThat(AwqClip.takes(LinearRole.DOWN)).isTrue();
  }
}
