package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.nn.StageGradients;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class LinearGradientTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int TOKENS = 21;

  private final Random random = new Random(1);

  /** A linear, what it reads, and the slope of a linear loss in what it gives. */
  private final class Pass {
    final int out;
    final int in;
    final QuantizedLinear linear;
    final float[] x;
    final float[] g;
    final float[] bias;

    Pass(int out, int in, int bits, boolean symmetric, int group) {
      this.out = out;
      this.in = in;
      float[] w = Arrays64.gaussian(random, out * in, 0.1);
      linear =
          RoundToNearest.quantize(
              w, out, in, new WeightScheme(bits, symmetric, group), ScaleFormat.F32, new MinMax());
      x = Arrays64.gaussian(random, TOKENS * in, 1);
      g = Arrays64.gaussian(random, TOKENS * out, 1);
      bias = Arrays64.gaussian(random, out, 1);
    }

    /** Σ g·(x·wᵀ + b) with log scales moved by so much. */
    double loss(double[] w) {
      double sum = 0;
      for (int t = 0; t < TOKENS; t++) {
        for (int i = 0; i < out; i++) {
          double y = bias[i];
          for (int j = 0; j < in; j++) {
            y += w[i * in + j] * x[t * in + j];
          }
          sum += y * g[t * out + i];
        }
      }
      return sum;
    }

    float[] outputs() {
      float[] y = new float[TOKENS * out];
      float[] w = linear.dequantize();
      for (int t = 0; t < TOKENS; t++) {
        for (int i = 0; i < out; i++) {
          double sum = bias[i];
          for (int j = 0; j < in; j++) {
            sum += (double) w[i * in + j] * x[t * in + j];
          }
          y[t * out + i] = (float) sum;
        }
      }
      return y;
    }

    LinearGradient gradient(SparseLatents latents, boolean output, Workers workers) {
      StageGradients.Part part =
          new StageGradients.Part(LinearRole.O, out, g, output ? outputs() : null);
      StageGradients stage =
          new StageGradients(Stage.O, LinearRole.NONE, TOKENS, in, x, List.of(part));
      LinearGradient gradient = LinearGradient.none(linear, latents, true);
      gradient.add(stage, part, linear, latents, bias, MATMUL, workers);
      return gradient;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "5,12,4,false,0,false",
    "5,12,4,false,0,true",
    "300,8,3,true,0,true",
    "300,8,3,true,4,true",
    "40,64,2,false,16,false"
  })
  void scalesAndBiases(int out, int in, int bits, boolean symmetric, int group, boolean output) {
    Pass pass = new Pass(out, in, bits, symmetric, group);
    LinearGradient found = pass.gradient(null, output, Workers.single());
    double[] w = Arrays64.of(pass.linear.dequantize());
    int length = pass.linear.groupLength();
    double scale = 0;
    for (double each : found.logScales()) {
      scale = Math.max(scale, Math.abs(each));
    }
    for (int k = 0; k < Math.min(40, found.logScales().length); k++) {
      // The loss is linear in a weight, so that a large step has no error.
      double[] moved = w.clone();
      double[] back = w.clone();
      for (int i = k * length; i < (k + 1) * length; i++) {
        moved[i] *= Math.exp(0.01);
        back[i] *= Math.exp(-0.01);
      }
      double wanted = (pass.loss(moved) - pass.loss(back)) / (2 * Math.sinh(0.01));
      assertThat(found.logScales()[k]).isCloseTo(wanted, within(1e-4 * scale));
    }
    for (int i = 0; i < out; i++) {
      double wanted = 0;
      for (int t = 0; t < TOKENS; t++) {
        wanted += pass.g[t * out + i];
      }
      assertThat(found.bias()[i]).isCloseTo(wanted, within(1e-6));
    }
    assertThat(found.latents()).isEmpty();
    LinearGradient twice = pass.gradient(null, output, Workers.single());
    twice.merge(found);
    assertThat(twice.logScales()[0]).isEqualTo(2 * found.logScales()[0]);
    try (Workers workers = Workers.of(3)) {
      assertThat(pass.gradient(null, output, workers).logScales()).isEqualTo(found.logScales());
    }
  }

  /** Gradients of weights at the candidates alone, times the scale, none beyond the grid's ends. */
  @ParameterizedTest
  @CsvSource({"5,12,2,0,0.3", "300,8,2,4,0.1", "7,30,3,0,1", "7,30,3,0,0"})
  void latents(int out, int in, int bits, int group, double share) {
    Pass pass = new Pass(out, in, bits, false, group);
    float[] a = new float[out * in];
    int length = pass.linear.groupLength();
    for (int i = 0; i < a.length; i++) {
      a[i] = 3 * (float) random.nextGaussian();
    }
    SparseLatents latents = SparseLatents.nearestToBoundary(a, out, in, share);
    LinearGradient found = pass.gradient(latents, true, Workers.single());
    assertThat(found.latents()).hasSize((int) Math.round(share * out * in));
    int stopped = 0;
    for (int k = 0; k < found.latents().length; k++) {
      int at = latents.places()[k];
      double slope = 0;
      for (int t = 0; t < TOKENS; t++) {
        slope += (double) pass.g[t * out + at / in] * pass.x[t * in + at % in];
      }
      double code = Math.rint(a[at]) + pass.linear.steps().zeros()[at / length];
      boolean inside = code >= 0 && code < 1 << bits;
      stopped += inside ? 0 : 1;
      double wanted = inside ? slope * pass.linear.steps().scales()[at / length] : 0;
      assertThat(found.latents()[k]).isCloseTo(wanted, within(1e-5));
    }
    assertThat(stopped).isBetween(share == 0 ? 0 : 1, Math.max(0, found.latents().length - 1));
  }

  /** Columns in another order, groups as runs of that: all the same, but for where columns lie. */
  @Test
  void groupsThatAreNoRunsOfColumns() {
    Pass pass = new Pass(6, 12, 3, false, 4);
    float[] a = Arrays64.gaussian(random, 72, 2);
    SparseLatents latents = SparseLatents.nearestToBoundary(a, 6, 12, 1);
    LinearGradient wanted = pass.gradient(latents, false, Workers.single());
    int[] columns = {7, 2, 9, 0, 11, 4, 1, 6, 3, 10, 5, 8};
    ColumnOrder order = new ColumnOrder(columns);
    int[] groupIndex = new int[12];
    for (int j = 0; j < 12; j++) {
      groupIndex[columns[j]] = j / 4;
    }
    float[] x = new float[pass.x.length];
    order.putBack(pass.x, x, TOKENS);
    byte[] codes = order.putBack(pass.linear.codes(), 6);
    float[] moved = new float[72];
    order.putBack(a, moved, 6);
    IndexedLinear indexed =
        new IndexedLinear(6, 12, pass.linear.scheme(), codes, pass.linear.steps(), groupIndex);
    SparseLatents all = SparseLatents.nearestToBoundary(moved, 6, 12, 1);
    StageGradients.Part part = new StageGradients.Part(LinearRole.O, 6, pass.g, null);
    StageGradients stage =
        new StageGradients(Stage.O, LinearRole.NONE, TOKENS, 12, x, List.of(part));
    QuantizedLinear its = new QuantizedLinear(6, 12, indexed.scheme(), codes, indexed.steps());
    LinearGradient found = LinearGradient.none(its, all, false);
    found.add(stage, part, its, groupIndex, all, null, MATMUL, Workers.single());
    for (int k = 0; k < found.logScales().length; k++) {
      assertThat(found.logScales()[k]).isCloseTo(wanted.logScales()[k], within(1e-5));
    }
    byte[] applied = all.applied(indexed).codes();
    byte[] wantedCodes = latents.applied(pass.linear).codes();
    float[] compensated = indexed.dequantize();
    float[] places = SparseLatents.latents(new OrderedGptq.GroupResult(indexed, compensated));
    for (int row = 0; row < 6; row++) {
      for (int j = 0; j < 12; j++) {
        int from = row * 12 + j;
        int to = row * 12 + columns[j];
        assertThat(found.latents()[to]).isCloseTo(wanted.latents()[from], within(1e-5));
        assertThat(applied[to]).isEqualTo(wantedCodes[from]);
        int group = row * 3 + j / 4;
        double place = (codes[to] & 0xFF) - indexed.steps().zeros()[group];
        assertThat((double) places[to]).isCloseTo(place, within(1e-4));
      }
    }
  }

  @Test
  void candidatesAreTheNearestToABoundary() {
    int out = 20;
    int in = 50;
    float[] a = Arrays64.gaussian(random, out * in, 2);
    a[17] = Float.NaN;
    a[30] = a[31] = 0.5f;
    SparseLatents latents = SparseLatents.nearestToBoundary(a, out, in, 0.1);
    assertThat(latents.places()).hasSize(100).isSorted().doesNotHaveDuplicates();
    double least = 1;
    for (int k = 0; k < 100; k++) {
      assertThat(latents.values()[k]).isEqualTo(a[latents.places()[k]]);
      least = Math.min(least, Math.abs(latents.values()[k] - Math.rint(latents.values()[k])));
    }
    int next = 0;
    for (int i = 0; i < a.length; i++) {
      if (next < 100 && latents.places()[next] == i) {
        next++;
      } else if (!Float.isNaN(a[i])) {
        assertThat(Math.abs(a[i] - Math.rint(a[i]))).isLessThanOrEqualTo(least);
      }
    }
    assertThat(SparseLatents.nearestToBoundary(new float[8], 2, 4, 0.5).places())
        .containsExactly(0, 1, 2, 3);
  }

  /** Codes follow the latents where there are any, and stay where there are none. */
  @Test
  void codesFollowTheLatents() {
    Pass pass = new Pass(6, 10, 3, false, 5);
    float[] a = new float[60];
    for (int i = 0; i < a.length; i++) {
      int code = pass.linear.codes()[i] & 0xFF;
      a[i] = code - pass.linear.steps().zeros()[i / 5] + 0.4f * (i % 7 - 3) / 3;
    }
    SparseLatents latents = SparseLatents.nearestToBoundary(a, 6, 10, 0.25);
    assertThat(latents.applied(pass.linear).codes()).isEqualTo(pass.linear.codes());
    latents.values()[2] += 1;
    latents.values()[3] = 1e9f;
    latents.values()[4] = -1e9f;
    byte[] codes = latents.applied(pass.linear).codes();
    for (int i = 0; i < codes.length; i++) {
      int before = pass.linear.codes()[i];
      int wanted =
          i == latents.places()[2]
              ? Math.min(7, before + 1)
              : i == latents.places()[3] ? 7 : i == latents.places()[4] ? 0 : before;
      assertThat(codes[i]).isEqualTo((byte) wanted);
    }
  }

  @Test
  void refusesAnotherLinear() {
    Pass pass = new Pass(6, 10, 3, false, 5);
    Pass other = new Pass(6, 15, 3, false, 5);
    StageGradients.Part part = new StageGradients.Part(LinearRole.O, 6, pass.g, null);
    StageGradients stage =
        new StageGradients(Stage.O, LinearRole.NONE, TOKENS, 10, pass.x, List.of(part));
    LinearGradient gradient = LinearGradient.none(other.linear, null, false);
    assertThatThrownBy(
            () -> gradient.add(stage, part, other.linear, null, null, MATMUL, Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("6×10 in the pass, the linear 6×15");
  }
}
