package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.linalg.NotPositiveDefiniteException;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.FixedPointSearch;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Inputs that calibration really meets at times: GPTQ stays finite, and no worse than rounding. */
class HardMomentsTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double DAMPING = 0.01;
  private static final int IN = 96;
  private static final int OUT = 24;
  private static final WeightScheme SCHEME = new WeightScheme(4, false, 32);

  static List<Arguments> cases() {
    List<Arguments> all = new ArrayList<>();
    for (HardInputs inputs : HardInputs.values()) {
      for (StepRule rule :
          List.of(new MinMax(), new RangeSearch(20, 0.5, 1, 2), new FixedPointSearch())) {
        all.add(Arguments.of(inputs, rule));
      }
    }
    return all;
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void finiteAndNoWorseThanTheNearest(HardInputs inputs, StepRule rule) {
    Random random = new Random(1);
    double[] x = inputs.make(IN, random);
    float[] h = Dense.product(IN, x, null, x.length / IN);
    float[] w = Arrays64.gaussian(random, OUT * IN, 1);
    for (int i = 0; i < w.length; i++) {
      // Rows of zeros, and rows a thousand times as large.
      w[i] = i / IN % 5 == 2 ? 0 : i / IN % 5 == 3 ? 1000 * w[i] : w[i];
    }
    StageFactors factors =
        StageFactors.of(IN, h.clone(), null, DAMPING, 0, MATMUL, Workers.single());
    StageFactors reordered =
        OrderedGptq.factors(IN, h.clone(), null, DAMPING, 0, MATMUL, Workers.single());
    QuantizedLinear nearest = RoundToNearest.quantize(w, OUT, IN, SCHEME, ScaleFormat.BF16, rule);
    OrderedGptq ordered = new OrderedGptq(SCHEME, ScaleFormat.BF16, rule, 32, MATMUL);
    double before = error(w, nearest.dequantize(), x);
    for (Gptq.Result found :
        List.of(
            new Gptq(SCHEME, ScaleFormat.BF16, rule, MATMUL)
                .quantize(
                    w.clone(),
                    OUT,
                    IN,
                    factors.inverseUpper(),
                    factors.importance(),
                    Workers.single()),
            ordered.quantizeStatic(
                w.clone(),
                OUT,
                IN,
                reordered.inverseUpper(),
                reordered.importance(),
                Workers.single()))) {
      float[] dequantized = found.linear().dequantize();
      for (int i = 0; i < w.length; i++) {
        assertThat(Float.isFinite(dequantized[i])).isTrue();
        assertThat(Float.isFinite(found.compensated()[i])).isTrue();
        assertThat(i / IN % 5 != 2 || dequantized[i] == 0).isTrue();
      }
      assertThat(error(w, dequantized, x)).isLessThanOrEqualTo(before * 1.001);
    }
  }

  /** With one token, all of the error but a rounding of the last column can be made up for. */
  @Test
  void oneTokenLeavesNearlyNoError() {
    Random random = new Random(2);
    double[] x = HardInputs.ONE_TOKEN.make(IN, random);
    float[] h = Dense.product(IN, x, null, 1);
    float[] w = Arrays64.gaussian(random, OUT * IN, 1);
    StageFactors factors =
        StageFactors.of(IN, h.clone(), null, DAMPING, 0, MATMUL, Workers.single());
    QuantizedLinear found =
        new Gptq(SCHEME, ScaleFormat.BF16, new MinMax(), MATMUL)
            .quantize(
                w.clone(), OUT, IN, factors.inverseUpper(), factors.importance(), Workers.single())
            .linear();
    QuantizedLinear nearest =
        RoundToNearest.quantize(w, OUT, IN, SCHEME, ScaleFormat.BF16, new MinMax());
    assertThat(error(w, found.dequantize(), x))
        .isLessThan(0.05 * error(w, nearest.dequantize(), x));
  }

  /** A matrix with negative eigenvalues: damped until it has none, or refused. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 0.1, 1, 10, 1e6})
  void momentsThatAreNotPositiveDefinite(double share) {
    Random random = new Random(3);
    float[] h = Dense.moments(IN, 200, random);
    float[] vector = Arrays64.gaussian(random, IN, 1);
    for (int i = 0; i < IN * IN; i++) {
      h[i] -= (float) (share * vector[i / IN] * vector[i % IN] * h[0]);
    }
    try {
      StageFactors factors =
          StageFactors.of(IN, h.clone(), h.clone(), DAMPING, 0.1, MATMUL, Workers.single());
      for (float[] values :
          List.of(factors.inverseUpper(), factors.correction(), factors.importance())) {
        for (float value : values) {
          assertThat(Float.isFinite(value)).isTrue();
        }
      }
      assertThat(factors.damping()).isGreaterThanOrEqualTo(DAMPING);
    } catch (NotPositiveDefiniteException e) {
      assertThat(e).hasMessageContaining("raise the damping");
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void brokenMomentsAreRefusedWhereverTheyBreak(float broken) {
    for (int[] place : new int[][] {{0, 0}, {40, 40}, {95, 95}, {3, 80}, {94, 95}}) {
      float[] h = Dense.moments(IN, 200, new Random(4));
      float[] p = Dense.moments(IN, 200, new Random(5));
      float[] good = h.clone();
      h[place[0] * IN + place[1]] = broken;
      h[place[1] * IN + place[0]] = broken;
      for (boolean corrected : new boolean[] {false, true}) {
        assertThatThrownBy(
                () ->
                    StageFactors.of(
                        IN,
                        h.clone(),
                        corrected ? p.clone() : null,
                        DAMPING,
                        0.1,
                        MATMUL,
                        Workers.single()))
            .as("%s at %s,%s", broken, place[0], place[1])
            .isInstanceOf(ArithmeticException.class);
        assertThatThrownBy(
                () ->
                    OrderedGptq.factors(
                        IN, h.clone(), null, DAMPING, 0.1, MATMUL, Workers.single()))
            .isInstanceOf(ArithmeticException.class);
      }
      p[place[0] * IN + place[1]] = broken;
      assertThatThrownBy(() -> StageFactors.of(IN, good, p, DAMPING, 0.1, MATMUL, Workers.single()))
          .isInstanceOf(ArithmeticException.class)
          .hasMessageContaining("NaN");
    }
  }

  /** Σ over tokens and rows of the outputs' squared errors. */
  private static double error(float[] w, float[] rounded, double[] x) {
    double sum = 0;
    for (int t = 0; t < x.length / IN; t++) {
      for (int row = 0; row < OUT; row++) {
        double y = 0;
        for (int i = 0; i < IN; i++) {
          y += x[t * IN + i] * ((double) w[row * IN + i] - rounded[row * IN + i]);
        }
        sum += y * y;
      }
    }
    return sum;
  }
}
