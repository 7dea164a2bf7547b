package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
  @Test
  void factorsAreThoseOfTheReorderedInputs() {
    int n = 37;
    Random random = new Random(1);
    float[] h = shuffledMoments(n, random);
    float[] p = Dense.product(n, Dense.inputs(n, 90, random), Dense.inputs(n, 90, random), 90);
    StageFactors plain =
        StageFactors.of(n, h.clone(), p.clone(), DAMPING, 0.1, MATMUL, Workers.single());
    StageFactors found =
        OrderedGptq.factors(n, h.clone(), p.clone(), DAMPING, 0.1, MATMUL, Workers.single());
    assertThat(found.importance()).isEqualTo(plain.importance());
    assertThat(found.damping()).isEqualTo(plain.damping());
    Difference.assertWithin("correction", found.correction(), plain.correction(), 1e-3);
    int[] order = OrderedGptq.order(found.importance());
    double[] wanted = Dense.inverse(permuted(Dense.damped(h, n, DAMPING), order), n);
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

  /** Against the optimal brain surgeon on reordered columns, a step given for each of them. */
  @ParameterizedTest
  @CsvSource({"20,64,4,true,16", "20,96,3,false,32", "20,160,4,false,0", "70,130,2,false,10"})
  void staticOrderIsTheTextbooks(int out, int in, int bits, boolean symmetric, int group) {
    Random random = new Random(in);
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    float[] w = Arrays64.gaussian(random, out * in, 0.05);
    float[] h = shuffledMoments(in, random);
    StageFactors factors = factors(in, h);
    float[] compensated = w.clone();
    Gptq.Result found =
        gptq(scheme, new MinMax())
            .quantizeStatic(
                compensated,
                out,
                in,
                factors.inverseUpper(),
                factors.importance(),
                Workers.single());
    int[] order = OrderedGptq.order(factors.importance());
    int groups = scheme.groups(in);
    int length = in / groups;
    Steps each = new Steps(out, in);
    int most = (1 << bits) - 1;
    for (int row = 0; row < out; row++) {
      for (int j = 0; j < in; j++) {
        int g = order[j] / length;
        double low = 0;
        double high = 0;
        for (int i = g * length; i < (g + 1) * length; i++) {
          low = Math.min(low, w[row * in + i]);
          high = Math.max(high, w[row * in + i]);
        }
        double range = symmetric ? 2 * Math.max(-low, high) : high - low;
        float scale = found.linear().steps().scales()[row * groups + g];
        assertThat((double) scale).isCloseTo(range / most, within(0x1p-7 * 0.51 * range / most));
        each.scales()[row * in + j] = scale;
        each.zeros()[row * in + j] = symmetric ? (most + 1) / 2 : (int) Math.rint(-low / scale);
        assertThat(found.linear().steps().zeros()[row * groups + g])
            .isEqualTo(each.zeros()[row * in + j]);
      }
    }
    TextbookGptq wanted =
        new TextbookGptq(
            columns(w, out, order),
            out,
            in,
            permuted(Dense.damped(h, in, DAMPING), order),
            each,
            bits);
    int same = 0;
    for (int row = 0; row < out; row++) {
      boolean all = true;
      for (int j = 0; j < in && all; j++) {
        int at = row * in + j;
        double code = Math.rint(wanted.compensated[at] / each.scales()[at]) + each.zeros()[at];
        int place = row * in + order[j];
        int clamped = (int) Math.min(Math.max(code, 0), most);
        all = (found.linear().codes()[place] & 0xFF) == clamped;
        if (all) {
          assertThat((double) compensated[place])
              .isCloseTo(wanted.compensated[at], within(0.01 * each.scales()[at]));
        }
      }
      same += all ? 1 : 0;
    }
    // Near a tie f32 may go the other way, and then all after it in the row differ.
    assertThat(same).isGreaterThanOrEqualTo(out * 9 / 10);
    assertThat(found.compensated()).isSameAs(compensated);
  }

  /** Groups in the order of importance: what GPTQ gives on reordered columns, and their index. */
  @Test
  void groupOrderIsGptqOnReorderedColumns() {
    int out = 40;
    int in = 96;
    int group = 16;
    Random random = new Random(2);
    WeightScheme scheme = new WeightScheme(4, false, group);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    float[] h = shuffledMoments(in, random);
    StageFactors factors = factors(in, h);
    OrderedGptq.GroupResult found =
        gptq(scheme, new MinMax())
            .quantizeByGroup(
                w.clone(), out, in, factors.inverseUpper(), factors.importance(), Workers.single());
    int[] order = OrderedGptq.order(factors.importance());
    Steps steps = found.linear().steps();
    TextbookGptq wanted =
        new TextbookGptq(
            columns(w, out, order),
            out,
            in,
            permuted(Dense.damped(h, in, DAMPING), order),
            steps,
            4);
    float[] dequantized = found.linear().dequantize();
    int same = 0;
    for (int row = 0; row < out; row++) {
      boolean all = true;
      for (int j = 0; j < in; j++) {
        int g = row * (in / group) + j / group;
        double scale = steps.scales()[g];
        double place = wanted.compensated[row * in + j] / scale;
        double code = Math.min(Math.max(Math.rint(place) + steps.zeros()[g], 0), 15);
        int at = row * in + order[j];
        assertThat(found.linear().groupIndex()[order[j]]).isEqualTo(j / group);
        all &= (found.linear().codes()[at] & 0xFF) == (int) code;
        double value = scale * ((found.linear().codes()[at] & 0xFF) - steps.zeros()[g]);
        assertThat((double) dequantized[at]).isCloseTo(value, within(1e-6 * scale));
      }
      same += all ? 1 : 0;
    }
    assertThat(same).isGreaterThanOrEqualTo(out * 9 / 10);
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
      float[] h = shuffledMoments(in, random);
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

  @Test
  void theSameBitsForAnyThreads() {
    int in = 96;
    int out = 150;
    Random random = new Random(5);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    StageFactors factors = factors(in, shuffledMoments(in, random));
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

  /** Moments whose sizes span a decade, the columns in no order. */
  private static float[] shuffledMoments(int n, Random random) {
    float[] h = Dense.moments(n, 2 * n + 5, random);
    int[] shuffled = new int[n];
    for (int i = 0; i < n; i++) {
      shuffled[i] = (int) ((i * 29L + 11) % n);
    }
    double[] wide = permuted(Arrays64.of(h), shuffled);
    for (int i = 0; i < h.length; i++) {
      h[i] = (float) wide[i];
    }
    return h;
  }

  private static double[] permuted(double[] h, int[] order) {
    int n = order.length;
    double[] permuted = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        permuted[i * n + j] = h[order[i] * n + order[j]];
      }
    }
    return permuted;
  }

  private static float[] columns(float[] w, int rows, int[] order) {
    int n = order.length;
    float[] permuted = new float[rows * n];
    for (int i = 0; i < permuted.length; i++) {
      permuted[i] = w[i / n * n + order[i % n]];
    }
    return permuted;
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
