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
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against the optimal brain surgeon in f64 on columns that the test reorders itself. */
class OrderedGptqTextbookTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double DAMPING = 0.01;

  /** Groups as they lie: a step for each column, that of its group. */
  @ParameterizedTest
  @CsvSource({"20,64,4,true,16", "20,96,3,false,32", "20,160,4,false,0", "70,130,2,false,10"})
  void staticOrderIsTheTextbooks(int out, int in, int bits, boolean symmetric, int group) {
    Random random = new Random(in);
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    float[] w = Arrays64.gaussian(random, out * in, 0.05);
    float[] h = Reordered.shuffledMoments(in, random);
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
            Reordered.columns(w, out, order),
            out,
            in,
            Reordered.permuted(Dense.damped(h, in, DAMPING), order),
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
    float[] h = Reordered.shuffledMoments(in, random);
    StageFactors factors = factors(in, h);
    OrderedGptq.GroupResult found =
        gptq(scheme, new MinMax())
            .quantizeByGroup(
                w.clone(), out, in, factors.inverseUpper(), factors.importance(), Workers.single());
    int[] order = OrderedGptq.order(factors.importance());
    Steps steps = found.linear().steps();
    TextbookGptq wanted =
        new TextbookGptq(
            Reordered.columns(w, out, order),
            out,
            in,
            Reordered.permuted(Dense.damped(h, in, DAMPING), order),
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

  private static OrderedGptq gptq(WeightScheme scheme, StepRule rule) {
    return new OrderedGptq(scheme, ScaleFormat.BF16, rule, 32, MATMUL);
  }

  private static StageFactors factors(int in, float[] h) {
    return OrderedGptq.factors(in, h.clone(), null, DAMPING, 0, MATMUL, Workers.single());
  }
}
