package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class ScalesLinearTest {
  private static final int OUT = 5;
  private static final int IN = 24;

  @ParameterizedTest
  @CsvSource({"4,false,0", "4,true,8", "2,false,1", "8,true,24"})
  void forwardAndGradients(int bits, boolean symmetric, int group) {
    Random random = new Random(bits);
    QuantizedLinear start = rounded(new WeightScheme(bits, symmetric, group), random);
    ScalesLinear linear = new ScalesLinear(start, ScaleFormat.F32);
    Difference.assertWithin("Ŵ", linear.forward(Workers.single()), start.dequantize(), 1e-6);
    for (int g = 0; g < linear.logScales().length; g++) {
      linear.logScales()[g] += (float) (0.2 * random.nextGaussian());
    }
    float[] upstream = Arrays64.gaussian(random, OUT * IN, 1);
    double[] d = Arrays64.of(linear.logScales());
    DoubleSupplier loss = () -> Arrays64.dot(dequantized(start, d), upstream);

    Difference.assertWithin("Ŵ", linear.forward(Workers.single()), dequantized(start, d), 1e-6);
    linear.backward(upstream, Workers.single());
    NumericGradient.check("d", loss, d, linear.gradient(), 200, 1e-4);
  }

  private static double[] dequantized(QuantizedLinear linear, double[] d) {
    double[] w = new double[OUT * IN];
    for (int i = 0; i < w.length; i++) {
      int g = i / linear.groupLength();
      w[i] = Math.exp(d[g]) * ((linear.codes()[i] & 0xFF) - linear.steps().zeros()[g]);
    }
    return w;
  }

  /** Codes and zeros stay, whatever was learned, and scales are such as the file can hold. */
  @ParameterizedTest
  @CsvSource({"BF16", "F16", "F32"})
  void onlyScalesChange(ScaleFormat format) {
    Random random = new Random(2);
    QuantizedLinear start = rounded(new WeightScheme(4, false, 8), random);
    ScalesLinear linear = new ScalesLinear(start, ScaleFormat.F32);
    byte[] codes = start.codes().clone();
    int[] zeros = start.steps().zeros().clone();
    for (int step = 1; step <= 5; step++) {
      linear.forward(Workers.single());
      linear.backward(Arrays64.gaussian(random, OUT * IN, 1), Workers.single());
      linear.step(step, 0.05, Workers.single());
    }
    QuantizedLinear result = linear.result(format, Workers.single());
    assertThat(result.codes()).isEqualTo(codes);
    assertThat(result.steps().zeros()).isEqualTo(zeros);
    for (int g = 0; g < zeros.length; g++) {
      float scale = result.steps().scales()[g];
      assertThat(format.round(scale)).isEqualTo(scale);
      double wanted = Math.exp(linear.logScales()[g]);
      assertThat((double) scale).isCloseTo(wanted, within(0x1p-8 * wanted));
      assertThat(wanted).isNotCloseTo(start.steps().scales()[g], within(0.01 * wanted));
    }
  }

  /** Learned on the file's own scales, the weights of a pass are those that the file will hold. */
  @ParameterizedTest
  @CsvSource({"BF16", "F16"})
  void whatIsLearnedIsWhatIsWritten(ScaleFormat format) {
    Random random = new Random(3);
    QuantizedLinear start = rounded(new WeightScheme(4, false, 8), random);
    ScalesLinear linear = new ScalesLinear(start, format);
    for (int step = 1; step <= 5; step++) {
      linear.forward(Workers.single());
      linear.backward(Arrays64.gaussian(random, OUT * IN, 1), Workers.single());
      linear.step(step, 0.05, Workers.single());
    }
    float[] passed = linear.forward(Workers.single()).clone();
    assertThat(passed).isEqualTo(linear.result(format, Workers.single()).dequantize());
    assertThat(passed).isNotEqualTo(start.dequantize());
  }

  /**
   * With inputs of second moments H, a row's best scales solve the normal equations A·s = b, A_gk =
   * q_g·H·q_kᵀ, b_g = w·H·q_gᵀ, q_g the row's integers of group g and zeros elsewhere.
   */
  @ParameterizedTest
  @CsvSource({"4,false,0", "3,true,0", "3,false,8", "2,true,12"})
  void descendsToTheLeastSquaresScales(int bits, boolean symmetric, int group) {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    Random random = new Random(7);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    QuantizedLinear start =
        RoundToNearest.quantize(w, OUT, IN, scheme, ScaleFormat.BF16, new MinMax());
    float[] h = Dense.product(IN, Arrays64.of(Arrays64.gaussian(random, 100 * IN, 1)), null, 100);
    ScalesLinear linear = new ScalesLinear(start, ScaleFormat.F32);
    int iterations = 2000;
    LearningRate rate = new LearningRate(0.02, iterations, LearningRate.Decay.COSINE);
    for (int i = 0; i < iterations; i++) {
      linear.backward(gradient(linear.forward(Workers.single()), w, h), Workers.single());
      linear.step(i + 1, rate.at(i), Workers.single());
    }
    QuantizedLinear result = linear.result(ScaleFormat.F32, Workers.single());
    for (int row = 0; row < OUT; row++) {
      double[] wanted = leastSquares(start, row, w, h);
      for (int g = 0; g < wanted.length; g++) {
        assertThat((double) result.steps().scales()[row * wanted.length + g])
            .isCloseTo(wanted[g], within(2e-4 * wanted[g]));
      }
    }
  }

  private static float[] gradient(float[] quantized, float[] w, float[] h) {
    float[] g = new float[OUT * IN];
    for (int i = 0; i < g.length; i++) {
      int row = i / IN * IN;
      double sum = 0;
      for (int j = 0; j < IN; j++) {
        sum += 2 * ((double) quantized[row + j] - w[row + j]) * h[j * IN + i % IN];
      }
      g[i] = (float) sum;
    }
    return g;
  }

  private static double[] leastSquares(QuantizedLinear linear, int row, float[] w, float[] h) {
    int groups = linear.steps().groups();
    double[][] q = new double[groups][IN];
    for (int i = 0; i < IN; i++) {
      int g = i / linear.groupLength();
      int zero = linear.steps().zeros()[row * groups + g];
      q[g][i] = (linear.codes()[row * IN + i] & 0xFF) - zero;
    }
    double[] normal = new double[groups * groups];
    double[] right = new double[groups];
    for (int i = 0; i < IN; i++) {
      for (int j = 0; j < IN; j++) {
        for (int g = 0; g < groups; g++) {
          right[g] += (double) w[row * IN + i] * h[i * IN + j] * q[g][j];
          for (int k = 0; k < groups; k++) {
            normal[g * groups + k] += q[g][i] * h[i * IN + j] * q[k][j];
          }
        }
      }
    }
    double[] inverse = Dense.inverse(normal, groups);
    double[] solution = new double[groups];
    for (int g = 0; g < groups; g++) {
      for (int k = 0; k < groups; k++) {
        solution[g] += inverse[g * groups + k] * right[k];
      }
    }
    return solution;
  }

  private static QuantizedLinear rounded(WeightScheme scheme, Random random) {
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    return RoundToNearest.quantize(w, OUT, IN, scheme, ScaleFormat.BF16, new MinMax());
  }
}
