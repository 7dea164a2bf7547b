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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class AutoRoundLinearTest {
  private static final int OUT = 7;
  private static final int IN = 24;
  private static final String[] NAMES = {"V", "α", "β"};

  /** Against finite differences of {@link AutoRoundOracle}. */
  @ParameterizedTest
  @CsvSource({
    "4,false,0",
    "4,true,0",
    "3,false,8",
    "2,true,12",
    "8,false,24",
    "2,false,1",
    "3,true,24"
  })
  void forwardAndGradients(int bits, boolean symmetric, int group) {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    Random random = new Random(bits * 31L + group);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    AutoRoundLinear linear = moved(w, scheme, ScaleFormat.F32, random);
    float[] upstream = Arrays64.gaussian(random, OUT * IN, 1);
    AutoRoundOracle oracle = new AutoRoundOracle(w, IN, scheme, linear.parameters());
    DoubleSupplier loss = () -> Arrays64.dot(oracle.dequantized(), upstream);

    Difference.assertWithin("Ŵ", linear.forward(Workers.single()), oracle.dequantized(), 1e-5);
    linear.backward(upstream, Workers.single());
    for (int p = 0; p < NAMES.length; p++) {
      NumericGradient.check(NAMES[p], loss, oracle.parameters[p], linear.gradients()[p], 200, 1e-4);
    }
  }

  @ParameterizedTest
  @CsvSource({"4,false,0", "4,true,8", "3,false,24", "2,true,0", "8,false,1"})
  void startsAtTheNearest(int bits, boolean symmetric, int group) {
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    float[] w = Arrays64.gaussian(new Random(3), OUT * IN, 0.5);
    // A row of zeros, and one that is all of one sign.
    for (int i = 0; i < IN; i++) {
      w[i] = 0;
      w[IN + i] = Math.abs(w[IN + i]);
    }
    for (ScaleFormat format : ScaleFormat.values()) {
      AutoRoundLinear linear = new AutoRoundLinear(w, OUT, IN, scheme, format);
      QuantizedLinear nearest = RoundToNearest.quantize(w, OUT, IN, scheme, format, new MinMax());
      QuantizedLinear result = linear.result(format, Workers.single());
      assertThat(result.codes()).isEqualTo(nearest.codes());
      assertThat(result.steps().scales()).isEqualTo(nearest.steps().scales());
      assertThat(result.steps().zeros()).isEqualTo(nearest.steps().zeros());
      assertThat(linear.forward(Workers.single())).isEqualTo(nearest.dequantize());
    }
  }

  /** Scales that the file can hold, zeros for those, and codes of W/s + V on both. */
  @ParameterizedTest
  @CsvSource({"BF16,false", "F16,false", "F32,false", "BF16,true"})
  void resultIsRoundedOnStoredScales(ScaleFormat format, boolean symmetric) {
    WeightScheme scheme = new WeightScheme(4, symmetric, 12);
    Random random = new Random(4);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    AutoRoundLinear linear = moved(w, scheme, format, random);
    AutoRoundOracle oracle = new AutoRoundOracle(w, IN, scheme, linear.parameters());
    QuantizedLinear result = linear.result(format, Workers.single());
    assertThat(linear.forward(Workers.single())).isEqualTo(result.dequantize());
    float[] v = linear.parameters()[0];
    for (int g = 0; g < w.length / 12; g++) {
      float scale = result.steps().scales()[g];
      int zero = result.steps().zeros()[g];
      assertThat(format.round(scale)).isEqualTo(scale);
      assertThat((double) scale).isCloseTo(oracle.scale(g), within(0x1p-8 * oracle.scale(g)));
      double exact = symmetric ? 8 : oracle.zero(g);
      assertThat((double) zero).isCloseTo(exact, within(0.5 + 0x1p-8 * 15));
      for (int i = g * 12; i < (g + 1) * 12; i++) {
        double code = Math.min(Math.max((double) w[i] / scale + v[i] + zero, 0), 15);
        assertThat(Math.abs((result.codes()[i] & 0xFF) - code)).isLessThan(0.5 + 1e-4);
      }
    }
  }

  /** Every parameter moves by the rate against its gradient's sign, no further than its bounds. */
  @Test
  void stepsBySignWithinBounds() {
    WeightScheme scheme = new WeightScheme(3, false, 8);
    Random random = new Random(5);
    float[] w = Arrays64.gaussian(random, OUT * IN, 0.5);
    AutoRoundLinear linear = moved(w, scheme, ScaleFormat.F32, random);
    float[] least = {-0.5f, 0, 0};
    float[] most = {0.5f, 1, 1};
    for (int step = 1; step <= 4; step++) {
      float[][] before = new float[3][];
      for (int p = 0; p < 3; p++) {
        before[p] = linear.parameters()[p].clone();
      }
      linear.forward(Workers.single());
      linear.backward(Arrays64.gaussian(random, OUT * IN, 1), Workers.single());
      float[][] gradients = linear.gradients();
      linear.step(step, 0.25, Workers.single());
      for (int p = 0; p < 3; p++) {
        for (int i = 0; i < before[p].length; i++) {
          double moved = before[p][i] - 0.25 * Math.signum(gradients[p][i]);
          double wanted = Math.min(Math.max(moved, least[p]), most[p]);
          assertThat((double) linear.parameters()[p][i])
              .as("%s %s", NAMES[p], i)
              .isCloseTo(wanted, within(1e-7));
        }
      }
    }
  }

  /** Shifts of all sizes, and ranges shrunk so far that some weights are clamped. */
  private static AutoRoundLinear moved(
      float[] w, WeightScheme scheme, ScaleFormat format, Random random) {
    AutoRoundLinear linear = new AutoRoundLinear(w, OUT, IN, scheme, format);
    float[][] parameters = linear.parameters();
    for (int i = 0; i < parameters[0].length; i++) {
      parameters[0][i] = random.nextFloat() - 0.5f;
    }
    for (int g = 0; g < parameters[1].length; g++) {
      parameters[1][g] = 0.6f + 0.4f * random.nextFloat();
      parameters[2][g] = 0.6f + 0.4f * random.nextFloat();
    }
    return linear;
  }
}
