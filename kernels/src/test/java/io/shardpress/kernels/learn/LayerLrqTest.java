package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.GivenSteps;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerLrqTest {
  /** Whatever the weights and inputs, neither rounding to nearest nor GPTQ is better. */
  @Test
  void neverWorseThanTheNearestOrGptq() {
    Random random = new Random(1);
    for (int n = 0; n < 120; n++) {
      Layer layer = Layer.random(random);
      StepRule rule = random.nextBoolean() ? new MinMax() : new RangeSearch(20, 0.4, 1, 2);
      QuantizedLinear gptq = layer.gptq(rule);
      QuantizedLinear nearest = layer.nearest(rule);
      QuantizedLinear start = random.nextBoolean() ? gptq : nearest;
      LayerLrq.Result found = layer.learn(start.steps(), 20, Workers.single());

      double wanted = Math.min(layer.error(layer.nearest(new MinMax())), layer.error(start));
      double error = layer.error(found.linear());
      assertThat(error).as("%s: %s", n, layer).isLessThanOrEqualTo(wanted * (1 + 1e-4));
      assertThat(found.objective()).as("%s: %s", n, layer).isCloseTo(error, within(1e-3 * error));
      checkStored(found.linear());
    }
  }

  private static void checkStored(QuantizedLinear linear) {
    int largest = (1 << linear.scheme().bits()) - 1;
    for (int g = 0; g < linear.steps().zeros().length; g++) {
      float scale = linear.steps().scales()[g];
      assertThat(scale).isPositive().isEqualTo(ScaleFormat.BF16.round(scale));
      assertThat(linear.steps().zeros()[g]).isBetween(0, largest);
    }
    for (byte code : linear.codes()) {
      assertThat(code & 0xFF).isLessThanOrEqualTo(largest);
    }
  }

  /** What learning is for: less error than GPTQ with the steps that it started from. */
  @ParameterizedTest
  @CsvSource({"4,false,0,8", "3,false,0,4", "3,true,16,4", "2,false,16,0", "4,true,0,8"})
  void betterThanGptqWithTheFirstSteps(int bits, boolean symmetric, int group, int rank) {
    Random random = new Random(bits);
    int in = 48;
    Layer layer =
        new Layer(
            Arrays64.gaussian(random, 32 * in, 0.1),
            32,
            in,
            Dense.moments(in, 300, random),
            new WeightScheme(bits, symmetric, group),
            rank);
    Steps start = layer.nearest(new MinMax()).steps();
    double gptq = layer.error(layer.gptq(new GivenSteps(start)));
    double nearest = layer.error(layer.nearest(new MinMax()));
    double learned = layer.error(layer.learn(start, 300, Workers.single()).linear());
    assertThat(gptq).isLessThan(nearest);
    assertThat(learned).isLessThan(0.95 * gptq);
  }

  @ParameterizedTest
  @CsvSource({"0", "16"})
  void sameBitsForAnyThreadsAndInputsStay(int group) {
    Random random = new Random(3);
    int out = 150;
    int in = 64;
    float[] w = Arrays64.gaussian(random, out * in, 0.1);
    float[] h = Dense.moments(in, 100, random);
    Layer layer = new Layer(w, out, in, h, new WeightScheme(3, false, group), 6);
    float[] weights = w.clone();
    float[] moments = h.clone();
    Steps start = layer.nearest(new MinMax()).steps();
    LayerLrq.Result one = layer.learn(start, 30, Workers.single());
    for (int threads = 2; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        LayerLrq.Result other = layer.learn(start, 30, workers);
        assertThat(other.linear().codes()).isEqualTo(one.linear().codes());
        assertThat(other.linear().steps().scales()).isEqualTo(one.linear().steps().scales());
        assertThat(other.linear().steps().zeros()).isEqualTo(one.linear().steps().zeros());
        assertThat(other.objective()).isEqualTo(one.objective());
      }
    }
    assertThat(w).isEqualTo(weights);
    assertThat(h).isEqualTo(moments);
    assertThat(start.scales()).isEqualTo(layer.nearest(new MinMax()).steps().scales());
  }

  @Test
  void withoutAnyInputTheNearest() {
    int in = 12;
    float[] w = Arrays64.gaussian(new Random(4), 3 * in, 1);
    Layer layer = new Layer(w, 3, in, new float[in * in], new WeightScheme(4, false, 0), 2);
    QuantizedLinear nearest = layer.nearest(new MinMax());
    LayerLrq.Result found = layer.learn(nearest.steps(), 10, Workers.single());
    assertThat(found.linear().codes()).isEqualTo(nearest.codes());
    assertThat(found.objective()).isZero();
  }
}
