package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
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
class LrqLinearTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int OUT = 7;
  private static final int IN = 24;
  private static final String[] NAMES = {"L", "U", "r", "c", "d"};

  /**
   * Against finite differences of {@link LrqOracle}, in which the rounding errors and the clamped
   * elements are held where they were: rounding itself has no derivative.
   */
  @ParameterizedTest
  @CsvSource({
    "4,false,0,5",
    "4,true,0,5",
    "3,false,8,3",
    "2,true,12,1",
    "8,false,24,7",
    "4,false,1,2",
    "4,false,0,0"
  })
  void forwardAndGradients(int bits, boolean symmetric, int group, int rank) {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    Random random = new Random(bits * 31L + rank);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    LrqLinear linear = started(w, scheme, rank);
    // Away from the start, so that no gradient is zero, and some weights are clamped.
    for (float[] parameter : linear.parameters()) {
      for (int i = 0; i < parameter.length; i++) {
        parameter[i] += (float) (0.15 * random.nextGaussian());
      }
    }
    float[] upstream = Arrays64.gaussian(random, OUT * IN, 1);
    LrqOracle oracle = new LrqOracle(w, OUT, IN, steps(w, scheme), bits, linear.parameters());
    DoubleSupplier loss = () -> Arrays64.dot(oracle.dequantized(), upstream);

    Difference.assertWithin("Ŵ", linear.forward(Workers.single()), oracle.dequantized(), 1e-5);
    linear.backward(upstream, Workers.single());
    for (int p = 0; p < NAMES.length; p++) {
      if (linear.parameters()[p].length > 0) {
        NumericGradient.check(
            NAMES[p], loss, oracle.parameters[p], linear.gradients()[p], 200, 1e-4);
      }
    }
  }

  /** L = 0: before the first step, what rounding to nearest gives. */
  @ParameterizedTest
  @CsvSource({"4,false,0,5", "4,true,8,2", "3,false,24,0", "2,true,0,1"})
  void startsAtTheNearest(int bits, boolean symmetric, int group, int rank) {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    float[] w = Arrays64.gaussian(new Random(3), OUT * IN, 0.5);
    LrqLinear linear = started(w, scheme, rank);
    QuantizedLinear nearest =
        RoundToNearest.quantize(w, OUT, IN, scheme, ScaleFormat.BF16, new MinMax());
    Difference.assertWithin("Ŵ", linear.forward(Workers.single()), nearest.dequantize(), 1e-5);
    QuantizedLinear result = linear.result(ScaleFormat.BF16, Workers.single());
    assertThat(result.codes()).isEqualTo(nearest.codes());
    assertThat(result.steps().scales()).isEqualTo(nearest.steps().scales());
    assertThat(result.steps().zeros()).isEqualTo(nearest.steps().zeros());
    for (float l : linear.parameters()[0]) {
      assertThat(l).isZero();
    }
    for (float u : linear.parameters()[1]) {
      assertThat((double) Math.abs(u)).isLessThanOrEqualTo(1 / Math.sqrt(IN) + 1e-7);
    }
  }

  /** The result's codes are the nearest to W·exp(−S) on scales that the file can hold. */
  @ParameterizedTest
  @CsvSource({"BF16", "F16", "F32"})
  void resultIsRoundedOnStoredScales(ScaleFormat format) {
    WeightScheme scheme = new WeightScheme(4, false, 12);
    Random random = new Random(4);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    LrqLinear linear = started(w, scheme, 3);
    for (float[] parameter : linear.parameters()) {
      for (int i = 0; i < parameter.length; i++) {
        parameter[i] += (float) (0.1 * random.nextGaussian());
      }
    }
    LrqOracle oracle = new LrqOracle(w, OUT, IN, steps(w, scheme), 4, linear.parameters());
    QuantizedLinear result = linear.result(format, Workers.single());
    for (int i = 0; i < w.length; i++) {
      float scale = result.steps().scales()[i / 12];
      assertThat(format.round(scale)).isEqualTo(scale);
      double code = oracle.shrunk(i) / scale + result.steps().zeros()[i / 12];
      double wanted = Math.min(Math.max(code, 0), 15);
      assertThat(Math.abs((result.codes()[i] & 0xFF) - wanted)).isLessThan(0.5 + 1e-4);
    }
  }

  private static Steps steps(float[] w, WeightScheme scheme) {
    return RoundToNearest.steps(w, OUT, IN, scheme, ScaleFormat.BF16, new MinMax(), null);
  }

  private static LrqLinear started(float[] w, WeightScheme scheme, int rank) {
    return new LrqLinear(
        w,
        OUT,
        IN,
        scheme,
        steps(w, scheme),
        rank,
        new SeededRandom(1, 2, "w"),
        MATMUL,
        ScaleFormat.F32);
  }
}
