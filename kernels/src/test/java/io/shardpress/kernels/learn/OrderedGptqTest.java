package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OrderedGptqTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double DAMPING = 0.01;

  @Test
  void orderFallsAndTiesStay() {
    assertThat(OrderedGptq.order(new float[] {1, 3, 0, 3, 7, 0, 1}))
        .containsExactly(4, 1, 3, 0, 6, 2, 5);
    assertThat(OrderedGptq.order(new float[] {2, 2, 2})).containsExactly(0, 1, 2);
    assertThat(OrderedGptq.order(new float[0])).isEmpty();
  }

  /** Only the inverse is in another order. */
  @ParameterizedTest
  @EnumSource(
      value = Correction.class,
      names = {"INPUTS", "OUTPUTS"})
  void factorsAreThoseOfTheReorderedInputs(Correction kind) {
    int n = 37;
    Random random = new Random(1);
    float[] h = Reordered.shuffledMoments(n, random);
    float[] p = Dense.product(n, Dense.inputs(n, 90, random), Dense.inputs(n, 90, random), 90);
    StageFactors plain =
        StageFactors.of(n, h.clone(), kind, p.clone(), DAMPING, 0.1, MATMUL, Workers.single());
    StageFactors found =
        OrderedGptq.factors(n, h.clone(), kind, p.clone(), DAMPING, 0.1, MATMUL, Workers.single());
    assertThat(found.importance()).isEqualTo(plain.importance());
    assertThat(found.damping()).isEqualTo(plain.damping());
    Difference.assertWithin("correction", found.correction(), plain.correction(), 1e-3);
    int[] order = OrderedGptq.order(found.importance());
    double[] wanted = Dense.inverse(Reordered.permuted(Dense.damped(h, n, DAMPING), order), n);
    float[] product = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
          sum += (double) found.inverseUpper()[k * n + i] * found.inverseUpper()[k * n + j];
        }
        product[i * n + j] = (float) sum;
      }
    }
    Difference.assertWithin("UᵀU", product, wanted, 1e-3);
  }

  /** Where all columns count the same there is nothing to order. */
  @Test
  void equalImportanceIsGptqItself() {
    int in = 48;
    Random random = new Random(3);
    float[] h = Dense.moments(in, 100, random);
    for (int i = 0; i < in; i++) {
      for (int j = 0; j < in; j++) {
        // As a correlation matrix.
        h[i * in + j] = i == j ? 1 : (float) (0.3 * Math.cos(i - j));
      }
    }
    float[] w = Arrays64.gaussian(random, 9 * in, 1);
    StageFactors factors = factors(in, h);
    for (int group : new int[] {0, 12}) {
      WeightScheme scheme = new WeightScheme(3, false, group);
      StepRule rule = new FixedSteps(0.7f, 4);
      Gptq.Result plain =
          new Gptq(scheme, ScaleFormat.BF16, rule, MATMUL)
              .quantize(
                  w.clone(), 9, in, factors.inverseUpper(), factors.importance(), Workers.single());
      Gptq.Result found =
          gptq(scheme, rule)
              .quantizeStatic(
                  w.clone(), 9, in, factors.inverseUpper(), factors.importance(), Workers.single());
      assertThat(found.linear().codes()).isEqualTo(plain.linear().codes());
      assertThat(found.linear().steps().scales()).isEqualTo(plain.linear().steps().scales());
    }
  }

  /** With channels of very different sizes the order lowers the error. */
  @Test
  void theOrderHelpsWhereChannelsDiffer() {
    int in = 64;
    int out = 30;
    Random random = new Random(4);
    double plain = 0;
    double ordered = 0;
    for (int n = 0; n < 10; n++) {
      float[] w = Arrays64.gaussian(random, out * in, 1);
      float[] h = Reordered.shuffledMoments(in, random);
      WeightScheme scheme = new WeightScheme(3, false, 0);
      StageFactors first =
          StageFactors.of(in, h.clone(), null, DAMPING, 0, MATMUL, Workers.single());
      plain +=
          error(
              w,
              new Gptq(scheme, ScaleFormat.BF16, new MinMax(), MATMUL)
                  .quantize(
                      w.clone(),
                      out,
                      in,
                      first.inverseUpper(),
                      first.importance(),
                      Workers.single())
                  .linear()
                  .dequantize(),
              h,
              in);
      StageFactors factors = factors(in, h);
      ordered +=
          error(
              w,
              gptq(scheme, new MinMax())
                  .quantizeStatic(
                      w.clone(),
                      out,
                      in,
                      factors.inverseUpper(),
                      factors.importance(),
                      Workers.single())
                  .linear()
                  .dequantize(),
              h,
              in);
    }
    assertThat(ordered).isLessThan(0.9 * plain);
  }

  /** The error of every row as it is defined, before and after; groups stay. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void descentMakesNoRowWorse(boolean symmetric) {
    int in = 96;
    int out = 70;
    Random random = new Random(6);
    float[] h = Reordered.shuffledMoments(in, random);
    StageFactors factors = factors(in, h);
    factors.damp(h);
    float[] target = Arrays64.gaussian(random, out * in, 1);
    OrderedGptq gptq = gptq(new WeightScheme(3, symmetric, 32), new MinMax());
    OrderedGptq.GroupResult start =
        gptq.quantizeByGroup(
            target.clone(),
            out,
            in,
            factors.inverseUpper(),
            factors.importance(),
            Workers.single());
    OrderedGptq.GroupResult found =
        gptq.improve(
            start,
            new CoordinateDescent(ScaleFormat.BF16, 2, 2, MATMUL),
            target,
            h,
            factors.importance(),
            Workers.single());
    assertThat(found.linear().groupIndex()).isEqualTo(start.linear().groupIndex());
    double before = 0;
    double after = 0;
    for (int row = 0; row < out; row++) {
      double first = error(row(target, row, in), row(start.linear().dequantize(), row, in), h, in);
      double then = error(row(target, row, in), row(found.linear().dequantize(), row, in), h, in);
      assertThat(then).isLessThanOrEqualTo(first * (1 + 1e-6));
      before += first;
      after += then;
    }
    assertThat(after).isLessThan(0.98 * before);
  }

  private static float[] row(float[] w, int row, int in) {
    return Arrays.copyOfRange(w, row * in, (row + 1) * in);
  }

  @Test
  void theSameBitsForAnyThreads() {
    int in = 96;
    int out = 150;
    Random random = new Random(5);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    StageFactors factors = factors(in, Reordered.shuffledMoments(in, random));
    byte[] first = null;
    for (int threads = 1; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        byte[] codes =
            gptq(new WeightScheme(4, true, 32), new MinMax())
                .quantizeStatic(
                    w.clone(), out, in, factors.inverseUpper(), factors.importance(), workers)
                .linear()
                .codes();
        first = first == null ? codes : first;
        assertThat(codes).isEqualTo(first);
      }
    }
  }

  private static OrderedGptq gptq(WeightScheme scheme, StepRule rule) {
    return new OrderedGptq(scheme, ScaleFormat.BF16, rule, 32, MATMUL);
  }

  private static StageFactors factors(int in, float[] h) {
    return OrderedGptq.factors(in, h.clone(), null, DAMPING, 0, MATMUL, Workers.single());
  }

  private static double error(float[] w, float[] rounded, float[] h, int in) {
    double sum = 0;
    for (int row = 0; row < w.length / in; row++) {
      double[] e = new double[in];
      for (int i = 0; i < in; i++) {
        e[i] = (double) w[row * in + i] - rounded[row * in + i];
      }
      sum += Dense.form(e, Arrays64.of(h));
    }
    return sum;
  }
}
