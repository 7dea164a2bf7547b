package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
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
class FlexRoundLinearTest {
  private static final int OUT = 7;
  private static final int IN = 24;

  /** Against finite differences with the rounding held where it was, as LRQ's. */
  @ParameterizedTest
  @CsvSource({
    "4,false,0",
    "4,true,0",
    "3,false,8",
    "2,true,12",
    "8,false,24",
    "4,false,1",
    "3,true,24"
  })
  void forwardAndGradients(int bits, boolean symmetric, int group) {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    Random random = new Random(bits * 31L + group);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    FlexRoundLinear linear = moved(w, scheme, ScaleFormat.F32, random);
    float[] upstream = Arrays64.gaussian(random, OUT * IN, 1);
    LrqOracle oracle = oracle(w, scheme, linear);
    DoubleSupplier loss = () -> Arrays64.dot(oracle.dequantized(), upstream);

    Difference.assertWithin("Ŵ", linear.forward(Workers.single()), oracle.dequantized(), 1e-5);
    linear.backward(upstream, Workers.single());
    // LRQ's L, r and d.
    int[] places = {0, 2, 4};
    String[] names = {"S", "r", "d"};
    for (int p = 0; p < names.length; p++) {
      NumericGradient.check(
          names[p], loss, oracle.parameters[places[p]], linear.gradients()[p], 200, 1e-4);
    }
  }

  @ParameterizedTest
  @CsvSource({"4,false,0", "4,true,8", "3,false,24", "2,true,0", "8,true,1"})
  void startsAtTheNearest(int bits, boolean symmetric, int group) {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    float[] w = Arrays64.gaussian(new Random(3), OUT * IN, 0.5);
    for (ScaleFormat format : new ScaleFormat[] {ScaleFormat.BF16, ScaleFormat.F16}) {
      Steps start = RoundToNearest.steps(w, OUT, IN, scheme, format, new MinMax(), null);
      FlexRoundLinear linear = new FlexRoundLinear(w, OUT, IN, scheme, start, format);
      QuantizedLinear nearest = RoundToNearest.quantize(w, OUT, IN, scheme, format, new MinMax());
      Difference.assertWithin("Ŵ", linear.forward(Workers.single()), nearest.dequantize(), 1e-6);
      QuantizedLinear result = linear.result(format, Workers.single());
      assertThat(result.codes()).isEqualTo(nearest.codes());
      assertThat(result.steps().scales()).isEqualTo(nearest.steps().scales());
      assertThat(result.steps().zeros()).isEqualTo(nearest.steps().zeros());
    }
  }

  /** The result's codes are the nearest to W·exp(−S − r) on scales that the file can hold. */
  @ParameterizedTest
  @CsvSource({"BF16", "F16", "F32"})
  void resultIsRoundedOnStoredScales(ScaleFormat format) {
    WeightScheme scheme = new WeightScheme(4, false, 12);
    Random random = new Random(4);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    FlexRoundLinear linear = moved(w, scheme, format, random);
    LrqOracle oracle = oracle(w, scheme, linear);
    QuantizedLinear result = linear.result(format, Workers.single());
    Difference.assertWithin("Ŵ", linear.forward(Workers.single()), result.dequantize(), 1e-6);
    for (int i = 0; i < w.length; i++) {
      float scale = result.steps().scales()[i / 12];
      assertThat(format.round(scale)).isEqualTo(scale);
      double code = oracle.shrunk(i) / scale + result.steps().zeros()[i / 12];
      double wanted = Math.min(Math.max(code, 0), 15);
      assertThat(Math.abs((result.codes()[i] & 0xFF) - wanted)).isLessThan(0.5 + 1e-4);
    }
  }

  /** Away from the start, so that no gradient is zero, and some weights are clamped. */
  private static FlexRoundLinear moved(
      float[] w, WeightScheme scheme, ScaleFormat format, Random random) {
    FlexRoundLinear linear = new FlexRoundLinear(w, OUT, IN, scheme, steps(w, scheme), format);
    for (float[] parameter : linear.parameters()) {
      for (int i = 0; i < parameter.length; i++) {
        parameter[i] += (float) (0.15 * random.nextGaussian());
      }
    }
    return linear;
  }

  /** A full S is LRQ's L·U with U the identity, and no shifts of the columns. */
  private static LrqOracle oracle(float[] w, WeightScheme scheme, FlexRoundLinear linear) {
    float[] identity = new float[IN * IN];
    for (int i = 0; i < IN; i++) {
      identity[i * IN + i] = 1;
    }
    float[][] p = linear.parameters();
    return new LrqOracle(
        w,
        OUT,
        IN,
        steps(w, scheme),
        scheme.bits(),
        new float[][] {p[0], identity, p[1], new float[IN], p[2]});
  }

  private static Steps steps(float[] w, WeightScheme scheme) {
    return RoundToNearest.steps(w, OUT, IN, scheme, ScaleFormat.BF16, new MinMax(), null);
  }
}
