package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.linalg.NotPositiveDefiniteException;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StageFactorsTest {
  private static final Matmul MATMUL = Matmuls.chosen();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 13, 64, 130})
  void factorAndCorrectionSolveTheirEquations(int n) {
    Random random = new Random(n);
    int tokens = 2 * n + 3;
    double[] quantized = Dense.inputs(n, tokens, random);
    double[] error = Dense.inputs(n, tokens, random);
    float[] h = Dense.product(n, quantized, null, tokens);
    float[] p = Dense.product(n, error, quantized, tokens);
    double damping = 0.01;
    double lambda = 0.1;
    StageFactors factors =
        StageFactors.of(n, h.clone(), p.clone(), damping, lambda, MATMUL, Workers.single());

    assertThat(factors.damping()).isEqualTo(damping);
    float[] u = factors.inverseUpper();
    float[] inverse = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int k = 0; k <= Math.min(i, j); k++) {
          sum += (double) u[k * n + i] * u[k * n + j];
        }
        inverse[i * n + j] = (float) sum;
        if (j < i) {
          assertThat(u[i * n + j]).as("U[%s,%s]", i, j).isZero();
        }
      }
    }
    double[] wantedInverse = Dense.inverse(Dense.damped(h, n, damping), n);
    Difference.assertWithin("UᵀU", inverse, wantedInverse, 1e-3);

    double[] solution = product(p, Dense.inverse(Dense.damped(h, n, lambda), n), n);
    Difference.assertWithin("P(H + λI)⁻¹", factors.correction(), solution, 1e-3);

    int rows = 3;
    float[] w = Arrays64.gaussian(random, rows * n, 1);
    float[] kept = w.clone();
    float[] target = factors.corrected(w, 0, rows, 0.5, MATMUL, Workers.single());
    double[] wanted = new double[rows * n];
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < n; j++) {
        double sum = w[r * n + j];
        for (int k = 0; k < n; k++) {
          sum += 0.5 * w[r * n + k] * solution[k * n + j];
        }
        wanted[r * n + j] = sum;
      }
    }
    Difference.assertWithin("target", target, wanted, 1e-3);
    assertThat(w).isEqualTo(kept);

    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += h[i * n + i];
    }
    for (int i = 0; i < n; i++) {
      double share = h[i * n + i] * n / trace;
      assertThat((double) factors.importance()[i]).isCloseTo(share, within(1e-5 * share));
    }
  }

  /** Where the residual stream has no error, both corrections are one; else D's target is best. */
  @ParameterizedTest
  @CsvSource({"0,0.1", "0.5,0.1", "0.5,1"})
  void outputsAreCorrectedForTheirResidualStream(double residualError, double lambda) {
    int n = 21;
    int out = 5;
    int tokens = 90;
    Random random = new Random(7);
    double[] x = Dense.inputs(n, tokens, random);
    double[] quantized = Dense.inputs(n, tokens, random);
    for (int i = 0; i < x.length; i++) {
      quantized[i] = x[i] + 0.2 * quantized[i];
    }
    float[] w = Arrays64.gaussian(random, out * n, 1);
    float[] shared = Arrays64.gaussian(random, tokens, residualError);
    // What the linear has to give beyond X̃·Wᵀ; the residual's error goes with the inputs.
    double[] wanted = new double[tokens * out];
    for (int t = 0; t < tokens; t++) {
      for (int o = 0; o < out; o++) {
        double sum = shared[t] * quantized[t * n + o];
        for (int i = 0; i < n; i++) {
          sum += w[o * n + i] * (x[t * n + i] - quantized[t * n + i]);
        }
        wanted[t * out + o] = sum;
      }
    }
    double[] d = new double[out * n];
    double[] inputError = new double[tokens * n];
    for (int t = 0; t < tokens; t++) {
      for (int i = 0; i < n; i++) {
        inputError[t * n + i] = x[t * n + i] - quantized[t * n + i];
        for (int o = 0; o < out; o++) {
          d[o * n + i] += wanted[t * out + o] * quantized[t * n + i];
        }
      }
    }
    float[] d32 = new float[out * n];
    for (int i = 0; i < d.length; i++) {
      d32[i] = (float) d[i];
    }
    float[] h = Dense.product(n, quantized, null, tokens);
    Workers one = Workers.single();
    StageFactors byOutputs =
        StageFactors.of(n, h.clone(), Correction.OUTPUTS, d32.clone(), 0.01, lambda, MATMUL, one);
    float[] target = byOutputs.corrected(w, 0, out, 1, MATMUL, one);
    if (residualError == 0) {
      float[] p = Dense.product(n, inputError, quantized, tokens);
      StageFactors byInputs = StageFactors.of(n, h.clone(), p, 0.01, lambda, MATMUL, one);
      float[] same = byInputs.corrected(w, 0, out, 1, MATMUL, one);
      for (int i = 0; i < same.length; i++) {
        assertThat(target[i]).isCloseTo(same[i], within(1e-3f));
      }
    }
    // The gradient of ‖wanted − X̃·(Ŵ − W)ᵀ‖² + λ‖Ŵ − W‖² is zero: D = (Ŵ − W)·(H̃ + λI).
    double[] damped = Dense.damped(h, n, lambda);
    float[] change = new float[out * n];
    for (int i = 0; i < change.length; i++) {
      change[i] = target[i] - w[i];
    }
    double[] found = new double[out * n];
    for (int o = 0; o < out; o++) {
      for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
          found[o * n + i] += change[o * n + k] * damped[k * n + i];
        }
      }
    }
    Difference.assertWithin("D", d32, found, 1e-3);
    // Rows alone, and half of the way.
    float[] last = Arrays.copyOfRange(w, (out - 1) * n, out * n);
    float[] half = byOutputs.corrected(last, out - 1, 1, 0.5, MATMUL, one);
    for (int i = 0; i < n; i++) {
      int at = (out - 1) * n + i;
      assertThat(half[i]).isCloseTo((w[at] + target[at]) / 2, within(1e-5f));
    }
  }

  @Test
  void noErrorNoCorrection() {
    Random random = new Random(1);
    float[] h = Dense.moments(9, 20, random);
    float[] w = Arrays64.gaussian(random, 18, 1);
    float[] zeroError = new float[81];
    StageFactors factors =
        StageFactors.of(9, h.clone(), zeroError, 0.01, 0.1, MATMUL, Workers.single());
    assertThat(factors.corrected(w, 0, 2, 0.5, MATMUL, Workers.single())).isEqualTo(w);
    StageFactors without = StageFactors.of(9, h.clone(), null, 0.01, 0.1, MATMUL, Workers.single());
    assertThat(without.correction()).isNull();
    assertThat(without.corrected(w, 0, 2, 0.5, MATMUL, Workers.single())).isEqualTo(w);
    assertThat(without.inverseUpper()).isEqualTo(factors.inverseUpper());
  }

  /** Fewer tokens than channels, no token at all, channels that are always zero; also undamped. */
  @ParameterizedTest
  @CsvSource({"3,0.01", "0,0.01", "1,0.1", "200,0.01", "3,0", "0,0", "200,0"})
  void singularMomentsStayFinite(int tokens, double damping) {
    int n = 80;
    int out = 6;
    Random random = new Random(tokens);
    double[] x = Dense.inputs(n, tokens, random);
    for (int i = 0; i < x.length; i++) {
      x[i] = i % n % 7 == 3 ? 0 : x[i];
    }
    float[] h = Dense.product(n, x, null, tokens);
    float[] p = Dense.product(n, x, null, tokens);
    StageFactors factors = StageFactors.of(n, h, p, damping, damping, MATMUL, Workers.single());
    assertFinite(factors.inverseUpper());
    assertFinite(factors.correction());
    assertFinite(factors.importance());

    float[] w = Arrays64.gaussian(random, out * n, 1);
    WeightScheme scheme = new WeightScheme(4, false, 0);
    Gptq gptq = new Gptq(scheme, ScaleFormat.BF16, new MinMax(), MATMUL);
    Gptq.Result found =
        gptq.quantize(
            w.clone(), out, n, factors.inverseUpper(), factors.importance(), Workers.single());
    assertFinite(found.compensated());
    // Nothing is made up for in a channel that no input reaches: it is rounded to the nearest.
    QuantizedLinear nearest =
        RoundToNearest.quantize(w, out, n, scheme, ScaleFormat.BF16, new MinMax());
    for (int i = 0; i < w.length; i++) {
      if (i % n % 7 == 3 || tokens == 0) {
        assertThat(found.linear().codes()[i]).isEqualTo(nearest.codes()[i]);
      }
    }
  }

  @Test
  void brokenMomentsAreAnError() {
    float[] h = Dense.moments(5, 20, new Random(1));
    h[2 * 5 + 2] = Float.NaN;
    assertThatThrownBy(() -> StageFactors.of(5, h, null, 0.01, 0.1, MATMUL, Workers.single()))
        .isInstanceOf(NotPositiveDefiniteException.class);
  }

  @Test
  void tooManyInputsAreNamed() {
    assertThatThrownBy(
            () -> StageFactors.of(53_248, new float[0], null, 0.01, 0.1, MATMUL, Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("in = 53248 inputs")
        .hasMessageContaining("at most 46340");
  }

  private static void assertFinite(float[] values) {
    for (float value : values) {
      assertThat(Float.isFinite(value)).as(() -> Arrays.toString(values)).isTrue();
    }
  }

  private static double[] product(float[] a, double[] b, int n) {
    double[] c = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        for (int j = 0; j < n; j++) {
          c[i * n + j] += a[i * n + k] * b[k * n + j];
        }
      }
    }
    return c;
  }
}
