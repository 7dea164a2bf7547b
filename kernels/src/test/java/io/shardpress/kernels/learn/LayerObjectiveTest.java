package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.NumericGradient;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerObjectiveTest {
  /** Against Σ over tokens of the squared output error, straight from the inputs. */
  @ParameterizedTest
  @CsvSource({"1,1,3", "5,13,40", "70,24,9"})
  void valueAndGradient(int out, int in, int tokens) {
    Random random = new Random(in);
    double[] x = Dense.inputs(in, tokens, random);
    for (int i = 0; i < x.length; i++) {
      x[i] *= 300;
    }
    float[] target = Arrays64.gaussian(random, out * in, 1);
    float[] quantized = Arrays64.gaussian(random, out * in, 1);
    float[] h = Dense.product(in, x, null, tokens);
    LayerObjective objective = new LayerObjective(target, out, in, h, Matmuls.chosen());
    double mean = Arrays.stream(x).map(v -> v * v).sum() / in;

    double[] rows = objective.rows(quantized, Workers.single());
    double[] at = Arrays64.of(quantized);
    for (int row = 0; row < out; row++) {
      double wanted = outputError(x, tokens, target, at, row, in) / mean;
      assertThat(rows[row]).isCloseTo(wanted, within(1e-5 * wanted));
    }
    float[] gradient = objective.gradient(quantized, Workers.single());
    NumericGradient.check(
        "Ŵ",
        () -> {
          double sum = 0;
          for (int row = 0; row < out; row++) {
            sum += outputError(x, tokens, target, at, row, in) / mean;
          }
          return sum;
        },
        at,
        gradient,
        50,
        1e-4);
  }

  @Test
  void noInputsNoError() {
    float[] w = {1, 2, 3, 4};
    LayerObjective objective = new LayerObjective(w, 2, 2, new float[4], Matmuls.chosen());
    assertThat(objective.rows(new float[4], Workers.single())).containsExactly(0, 0);
    assertThat(objective.gradient(new float[4], Workers.single())).containsExactly(0, 0, 0, 0);
  }

  private static double outputError(
      double[] x, int tokens, float[] target, double[] quantized, int row, int in) {
    double sum = 0;
    for (int t = 0; t < tokens; t++) {
      double error = 0;
      for (int i = 0; i < in; i++) {
        error += x[t * in + i] * (quantized[row * in + i] - target[row * in + i]);
      }
      sum += error * error;
    }
    return sum;
  }
}
