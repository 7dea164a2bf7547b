package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class CoordinateDescentTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double DAMPING = 0.01;

  /**
   * What an error is compared with is computed in f64; e·H·e of f32 products differs by so much.
   */
  private static final double ROUNDING = 1e-4;

  /** A linear as GPTQ leaves it, with what it was solved from. */
  private record Problem(float[] w, float[] h, Gptq.Result gptq) {
    static Problem of(float[] w, int in, float[] moments, WeightScheme scheme, ScaleFormat format) {
      Workers one = Workers.single();
      StageFactors factors = StageFactors.of(in, moments.clone(), null, DAMPING, 0, MATMUL, one);
      Gptq gptq = new Gptq(scheme, format, new RangeSearch(20, 0.4, 1, 2), MATMUL);
      Gptq.Result found =
          gptq.quantize(
              w.clone(), w.length / in, in, factors.inverseUpper(), factors.importance(), one);
      float[] h = moments.clone();
      factors.damp(h);
      return new Problem(w, h, found);
    }

    Gptq.Result improved(ScaleFormat format, int rounds, int sweeps, Workers workers) {
      return new CoordinateDescent(format, rounds, sweeps, MATMUL).improve(gptq, w, h, workers);
    }

    double error(QuantizedLinear linear, int row) {
      int in = linear.in();
      float[] rounded = linear.dequantize();
      double[] e = new double[in];
      for (int i = 0; i < in; i++) {
        e[i] = (double) rounded[row * in + i] - w[row * in + i];
      }
      return Dense.form(e, h64());
    }

    double[] h64() {
      return Dense.damped(h, (int) Math.sqrt(h.length), 0);
    }
  }

  /** Also with inputs that are always zero, rows of zeros, and channels a thousand times larger. */
  @ParameterizedTest
  @CsvSource({
    "70,64,4,false,0,BF16",
    "20,160,3,false,0,F32",
    "20,160,4,true,32,BF16",
    "20,192,3,false,64,F16",
    "9,300,2,false,0,BF16",
    "9,320,2,true,160,F16",
    "5,13,4,true,0,F32",
    "1,1,4,false,0,F32"
  })
  void noRowIsWorseThanBefore(
      int out, int in, int bits, boolean symmetric, int group, ScaleFormat format) {
    Random random = new Random(out + in);
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    for (int kind = 0; kind < 4; kind++) {
      float[] w = Arrays64.gaussian(random, out * in, 0.05);
      double[] x = Dense.inputs(in, 2 * in + 5, random);
      for (int i = 0; i < x.length; i++) {
        int column = i % in;
        x[i] *= kind == 1 && column % 5 == 2 ? 0 : kind == 2 && column % 50 == 7 ? 1000 : 1;
      }
      if (kind == 3) {
        Arrays.fill(w, 0, in, 0);
      }
      float[] h = Dense.product(in, x, null, 2 * in + 5);
      Problem problem = Problem.of(w, in, h, scheme, format);
      Gptq.Result found = problem.improved(format, 3, 4, Workers.single());
      double before = 0;
      double after = 0;
      for (int row = 0; row < out; row++) {
        double gptq = problem.error(problem.gptq.linear(), row);
        double ours = problem.error(found.linear(), row);
        assertThat(ours).as("row %s", row).isLessThanOrEqualTo(gptq * (1 + ROUNDING));
        before += gptq;
        after += ours;
      }
      if (in > 1) {
        assertThat(after).as("kind %s", kind).isLessThan(before);
      }
      Steps steps = found.linear().steps();
      for (float scale : steps.scales()) {
        assertThat(scale).isPositive().isEqualTo(format.round(scale));
      }
      assertThat(steps.zeros()).isEqualTo(problem.gptq.linear().steps().zeros());
      QuantizedLinear again = QuantizedLinear.round(found.compensated(), out, in, scheme, steps);
      assertThat(again.codes()).isEqualTo(found.linear().codes());
    }
  }

  /** Of all 2^8 changes of a code, none lowers the error, and no scale does. */
  @Test
  void endsWhereNoCodeAndNoScaleIsBetter() {
    Random random = new Random(5);
    int in = 4;
    WeightScheme scheme = new WeightScheme(2, false, 0);
    double best = 0;
    double gptq = 0;
    double ours = 0;
    for (int n = 0; n < 300; n++) {
      float[] w = Arrays64.gaussian(random, 2 * in, 1);
      Problem problem = Problem.of(w, in, Dense.moments(in, 6, random), scheme, ScaleFormat.F32);
      QuantizedLinear found = problem.improved(ScaleFormat.F32, 30, 30, Workers.single()).linear();
      for (int row = 0; row < 2; row++) {
        double error = problem.error(found, row);
        double least = Double.POSITIVE_INFINITY;
        for (int codes = 0; codes < 256; codes++) {
          byte[] all = found.codes().clone();
          int differing = 0;
          for (int i = 0; i < in; i++) {
            byte code = (byte) (codes >> (2 * i) & 3);
            differing += all[row * in + i] == code ? 0 : 1;
            all[row * in + i] = code;
          }
          double other = problem.error(new QuantizedLinear(2, in, scheme, all, found.steps()), row);
          if (differing == 1) {
            assertThat(error).isLessThanOrEqualTo(other * (1 + ROUNDING));
          }
          least = Math.min(least, other);
        }
        best += least;
        ours += error;
        gptq += problem.error(problem.gptq.linear(), row);
        for (float factor : new float[] {0.999f, 1.001f}) {
          float[] scales = found.steps().scales().clone();
          scales[row] *= factor;
          Steps other = new Steps(2, 1, scales, found.steps().zeros());
          assertThat(error)
              .isLessThanOrEqualTo(
                  problem.error(new QuantizedLinear(2, in, scheme, found.codes(), other), row)
                      * (1 + ROUNDING));
        }
      }
    }
    assertThat(ours).isBetween(best * (1 - ROUNDING), gptq);
    // Most of what is left above the best integers of the same scales is won.
    assertThat(ours - best).isLessThan(0.5 * (gptq - best));
  }

  /** s = (w*·H·qᵀ)/(q·H·qᵀ) in f64 where the row is one group, rounded to the stored dtype. */
  @ParameterizedTest
  @CsvSource({"F32,false", "BF16,false", "F16,true"})
  void scalesAreThoseOfTheClosedForm(ScaleFormat format, boolean symmetric) {
    int in = 150;
    int out = 40;
    Random random = new Random(2);
    float[] w = Arrays64.gaussian(random, out * in, 0.05);
    WeightScheme scheme = new WeightScheme(3, symmetric, 0);
    Problem problem = Problem.of(w, in, Dense.moments(in, 400, random), scheme, format);
    QuantizedLinear found = problem.improved(format, 1, 0, Workers.single()).linear();
    assertThat(found.codes()).isEqualTo(problem.gptq.linear().codes());
    double[] h = problem.h64();
    int changed = 0;
    for (int row = 0; row < out; row++) {
      double along = 0;
      double square = 0;
      for (int i = 0; i < in; i++) {
        for (int j = 0; j < in; j++) {
          double q = (found.codes()[row * in + j] & 0xFF) - found.steps().zeros()[row];
          along += w[row * in + i] * h[i * in + j] * q;
          square +=
              ((found.codes()[row * in + i] & 0xFF) - found.steps().zeros()[row])
                  * h[i * in + j]
                  * q;
        }
      }
      float scale = found.steps().scales()[row];
      float before = problem.gptq.linear().steps().scales()[row];
      if (scale != before) {
        changed++;
        double ulp =
            format == ScaleFormat.F32 ? 1e-5 : format == ScaleFormat.F16 ? 0x1p-11 : 0x1p-8;
        assertThat((double) scale).isCloseTo(along / square, within(1.01 * ulp * scale));
      }
    }
    assertThat(changed).isGreaterThan(out / 3);
  }

  @ParameterizedTest
  @CsvSource({"0", "20", "100"})
  void sameBitsForAnyThreads(int group) {
    int out = 200;
    int in = 200;
    Random random = new Random(4);
    WeightScheme scheme = new WeightScheme(3, false, group);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    Problem problem = Problem.of(w, in, Dense.moments(in, 300, random), scheme, ScaleFormat.BF16);
    Gptq.Result first = problem.improved(ScaleFormat.BF16, 2, 3, Workers.single());
    for (int threads = 2; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        Gptq.Result found = problem.improved(ScaleFormat.BF16, 2, 3, workers);
        assertThat(found.linear().codes()).isEqualTo(first.linear().codes());
        assertThat(found.linear().steps().scales()).isEqualTo(first.linear().steps().scales());
        assertThat(found.compensated()).isEqualTo(first.compensated());
      }
    }
  }

  /** Where no input comes, GPTQ rounds to the nearest, and that is best. */
  @Test
  void noInputAtAllLeavesTheNearest() {
    int in = 40;
    float[] w = Arrays64.gaussian(new Random(3), 3 * in, 1);
    WeightScheme scheme = new WeightScheme(4, false, 0);
    Problem problem = Problem.of(w, in, new float[in * in], scheme, ScaleFormat.BF16);
    Gptq.Result found = problem.improved(ScaleFormat.BF16, 2, 2, Workers.single());
    for (int row = 0; row < 3; row++) {
      assertThat(problem.error(found.linear(), row))
          .isLessThanOrEqualTo(problem.error(problem.gptq.linear(), row));
    }
    assertThat(found.linear().codes())
        .isEqualTo(QuantizedLinear.round(w, 3, in, scheme, found.linear().steps()).codes());
  }

  /** Rows in two tiles give what they give together, but for the order of the products' sums. */
  @Test
  void rowsDoNotDependOnTheirTile() {
    int out = 130;
    int in = 150;
    int cut = 70;
    Random random = new Random(8);
    WeightScheme scheme = new WeightScheme(4, false, 0);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    float[] h = Dense.moments(in, 300, random);
    Problem whole = Problem.of(w, in, h, scheme, ScaleFormat.F32);
    QuantizedLinear all = whole.improved(ScaleFormat.F32, 2, 3, Workers.single()).linear();
    int same = 0;
    for (int part = 0; part < 2; part++) {
      int from = part == 0 ? 0 : cut;
      int to = part == 0 ? cut : out;
      Problem some =
          Problem.of(Arrays.copyOfRange(w, from * in, to * in), in, h, scheme, ScaleFormat.F32);
      QuantizedLinear found = some.improved(ScaleFormat.F32, 2, 3, Workers.single()).linear();
      for (int row = from; row < to; row++) {
        same +=
            Arrays.equals(
                    Arrays.copyOfRange(all.codes(), row * in, (row + 1) * in),
                    Arrays.copyOfRange(found.codes(), (row - from) * in, (row - from + 1) * in))
                ? 1
                : 0;
      }
    }
    assertThat(same).isGreaterThanOrEqualTo(out * 95 / 100);
  }
}
