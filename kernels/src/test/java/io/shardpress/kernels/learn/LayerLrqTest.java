package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.GivenSteps;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerLrqTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double DAMPING = 0.01;

  /** Whatever the weights and inputs, neither rounding to nearest nor GPTQ is better. */
  @Test
  void neverWorseThanTheNearestOrGptq() {
    Random random = new Random(1);
    for (int n = 0; n < 120; n++) {
      Layer layer = Layer.random(random);
      StepRule rule = random.nextBoolean() ? new MinMax() : new RangeSearch(20, 0.4, 1, 2);
      QuantizedLinear gptq = layer.gptq(rule);
      QuantizedLinear nearest = layer.nearest(rule);
      Steps start = random.nextBoolean() ? gptq.steps() : nearest.steps();
      LayerLrq.Result found = layer.learn(start, 20, Workers.single());

      double wanted = layer.error(layer.nearest(new MinMax()));
      if (start == gptq.steps()) {
        wanted = Math.min(wanted, layer.error(gptq));
      } else {
        wanted = Math.min(wanted, layer.error(nearest));
      }
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

  /** A linear, the second moments of its inputs, and how it is to be quantized. */
  private record Layer(float[] w, int out, int in, float[] h, WeightScheme scheme, int rank) {
    /** Of any size, with zero rows, dead and correlated inputs, and channels of 1000 times. */
    static Layer random(Random random) {
      int group = new int[] {0, 0, 1, 4, 8, 32}[random.nextInt(6)];
      int in = group == 0 ? 1 + random.nextInt(70) : group * (1 + random.nextInt(64 / group));
      int out = 1 + random.nextInt(80);
      float[] w = Arrays64.gaussian(random, out * in, Math.pow(10, random.nextInt(5) - 3));
      double[] weightChannels = channels(in, random);
      for (int i = 0; i < w.length; i++) {
        w[i] *= (float) weightChannels[i % in];
        if (i / in % 7 == 3) {
          w[i] = 0;
        }
      }
      int tokens = 1 + random.nextInt(2 * in);
      double[] x = Dense.inputs(in, tokens, random);
      double[] inputChannels = channels(in, random);
      for (int i = 0; i < x.length; i++) {
        x[i] *= inputChannels[i % in];
      }
      int bits = new int[] {2, 3, 4, 8}[random.nextInt(4)];
      return new Layer(
          w,
          out,
          in,
          Dense.product(in, x, null, tokens),
          new WeightScheme(bits, random.nextBoolean(), group),
          random.nextInt(4));
    }

    private static double[] channels(int in, Random random) {
      double[] factors = new double[in];
      boolean dead = random.nextBoolean();
      boolean outliers = random.nextBoolean();
      for (int i = 0; i < in; i++) {
        factors[i] = 1;
        if (dead && random.nextInt(4) == 0) {
          factors[i] = 0;
        }
        if (outliers && random.nextInt(16) == 0) {
          factors[i] = 1000;
        }
      }
      return factors;
    }

    QuantizedLinear nearest(StepRule rule) {
      return RoundToNearest.quantize(w, out, in, scheme, ScaleFormat.BF16, rule);
    }

    QuantizedLinear gptq(StepRule rule) {
      float[] upper = inverseUpper();
      return new Gptq(scheme, ScaleFormat.BF16, rule, MATMUL)
          .quantize(w.clone(), out, in, upper, null, Workers.single())
          .linear();
    }

    private float[] inverseUpper() {
      return StageFactors.of(in, h.clone(), null, DAMPING, 0, MATMUL, Workers.single())
          .inverseUpper();
    }

    LayerLrq.Result learn(Steps start, int iterations, Workers workers) {
      LearningRate rate = new LearningRate(3e-3, iterations, LearningRate.Decay.COSINE);
      return new LayerLrq(scheme, ScaleFormat.BF16, rank, rate, MATMUL)
          .quantize(w, out, in, h, inverseUpper(), start, new SeededRandom(1, 2, "layer"), workers);
    }

    /** tr((W − Ŵ)·H·(W − Ŵ)ᵀ) over the mean of diag(H), in f64. */
    double error(QuantizedLinear linear) {
      float[] quantized = linear.dequantize();
      double[] wide = Arrays64.of(h);
      double mean = 0;
      for (int i = 0; i < in; i++) {
        mean += wide[i * in + i] / in;
      }
      double sum = 0;
      for (int row = 0; row < out; row++) {
        double[] e = new double[in];
        for (int i = 0; i < in; i++) {
          e[i] = (double) w[row * in + i] - quantized[row * in + i];
        }
        sum += Dense.form(e, wide);
      }
      return mean > 0 ? sum / mean : 0;
    }

    @Override
    public String toString() {
      return "%d×%d %s group %d rank %d"
          .formatted(out, in, scheme.name(), scheme.groupSize(), rank);
    }
  }
}
