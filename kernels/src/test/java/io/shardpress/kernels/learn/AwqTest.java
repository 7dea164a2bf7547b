package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AwqTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int TOKENS = 50;

  @Test
  void triesEveryRatioAndTakesTheBest() {
    float[] mean = {4, 0.25f, 1, 16};
    List<ChannelScales> tried = new ArrayList<>();
    Awq.Choice choice =
        Awq.search(
            mean,
            scales -> {
              tried.add(scales);
              return Math.abs(tried.size() - 8);
            });
    assertThat(tried).hasSize(20);
    for (int i = 0; i < 20; i++) {
      double ratio = 0.05 * i;
      double norm = Math.sqrt(Math.pow(16, ratio) * Math.pow(0.25, ratio));
      for (int j = 0; j < 4; j++) {
        double wanted = Math.pow(mean[j], ratio) / norm;
        assertThat((double) tried.get(i).values()[j]).isCloseTo(wanted, within(1e-6 * wanted));
      }
    }
    assertThat(choice.ratio()).isCloseTo(0.35, within(1e-12));
    assertThat(choice.loss()).isZero();
    assertThat(choice.scales()).isSameAs(tried.get(7));
  }

  @Test
  void floorDeadChannelsAndLossesThatAreNotFinite() {
    // 1e-30^0.5 is below the floor, so it counts as 1e-4: scales 1e-4/√(1e-4·1), and 1/√….
    float[] s = Awq.scales(new float[] {1e-30f, 1, 0}, 0.5).values();
    assertThat(s[0]).isCloseTo(1e-2f, within(1e-7f));
    assertThat(s[1]).isCloseTo(1e2f, within(1e-3f));
    assertThat(s[2]).isEqualTo(1);
    assertThat(Awq.scales(new float[5], 0.7).values()).containsOnly(1);
    Awq.Choice choice =
        Awq.search(new float[] {1, 2}, x -> x.values()[0] > 0.9 ? Double.NaN : x.values()[1]);
    assertThat(choice.scales().values()[0]).isLessThan(0.9f);
    assertThatThrownBy(() -> Awq.search(new float[] {1, 2}, x -> Double.NaN))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("finite for none of 20");
    assertThatThrownBy(() -> Awq.search(new float[] {1, Float.NaN}, x -> 1))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("channel 1: mean|x| is NaN");
  }

  /** Σ over tokens of the outputs' squared errors, in f64, token by token. */
  @ParameterizedTest
  @CsvSource({"4,false,8,1", "4,true,0,2", "3,false,16,3"})
  void momentLossIsTheOutputsError(int bits, boolean symmetric, int group, int threads) {
    int in = 32;
    Random random = new Random(bits);
    double[] x = Dense.inputs(in, TOKENS, random);
    List<float[]> weights =
        List.of(Arrays64.gaussian(random, 300 * in, 1), Arrays64.gaussian(random, 7 * in, 3));
    float[] s = new float[in];
    for (int i = 0; i < in; i++) {
      s[i] = (float) Math.exp(random.nextGaussian());
    }
    double wanted = 0;
    for (float[] w : weights) {
      wanted += outputError(x, in, w, rounded(w, in, s, bits, symmetric, group));
    }
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    float[] h = Dense.product(in, x, null, TOKENS);
    try (Workers workers = Workers.of(threads)) {
      MomentLoss loss =
          new MomentLoss(weights, in, h, scheme, ScaleFormat.F32, new MinMax(), MATMUL, workers);
      assertThat(loss.of(new ChannelScales(s))).isCloseTo(wanted, within(1e-3 * wanted));
    }
  }

  /** A few channels a hundred times as large as the rest: scaling protects their weights. */
  @Test
  void scalingHelpsWhereAFewChannelsMatter() {
    int in = 64;
    Random random = new Random(5);
    double[] x = new double[TOKENS * in];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i % in % 16 == 3 ? 100 : 1) * random.nextGaussian();
    }
    InputMagnitudes magnitudes = new InputMagnitudes(in);
    magnitudes.observe(narrow(x), TOKENS, Workers.single());
    float[] w = Arrays64.gaussian(random, 40 * in, 1);
    MomentLoss loss =
        new MomentLoss(
            List.of(w),
            in,
            Dense.product(in, x, null, TOKENS),
            new WeightScheme(3, false, 32),
            ScaleFormat.BF16,
            new MinMax(),
            MATMUL,
            Workers.single());
    Awq.Choice choice = Awq.search(magnitudes.meanAbs(), loss);
    double[] plain = new double[in];
    Arrays.fill(plain, 1);
    double before = outputError(x, in, w, rounded(w, in, narrow(plain), 3, false, 32));
    float[] s = choice.scales().values();
    double after = outputError(x, in, w, rounded(w, in, s, 3, false, 32));
    assertThat(after).isLessThan(0.3 * before);
    assertThat(choice.ratio()).isGreaterThan(0);
  }

  /** The range with the least error of the group's part of the output, token by token in f64. */
  @ParameterizedTest
  @CsvSource({"4,false,8", "3,true,16", "2,false,0"})
  void clipsWhereTheOutputLosesLeast(int bits, boolean symmetric, int group) {
    int in = 32;
    int out = 23;
    Random random = new Random(7);
    double[] x = Dense.inputs(in, TOKENS, random);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    int groups = scheme.groups(in);
    int length = in / groups;
    float[] limits =
        new AwqClip(scheme, ScaleFormat.F32, MATMUL)
            .limits(w, out, in, Dense.product(in, x, null, TOKENS), Workers.single());
    float[] ones = new float[in];
    Arrays.fill(ones, 1);
    int cut = 0;
    for (int g = 0; g < out * groups; g++) {
      float most = 0;
      for (int i = g * length; i < (g + 1) * length; i++) {
        most = Math.max(most, Math.abs(w[i]));
      }
      double least = Double.POSITIVE_INFINITY;
      double found = Double.NaN;
      for (int c = 0; c < 10; c++) {
        float limit = (float) (20 - c) / 20 * most;
        float[] clipped = new float[length];
        for (int i = 0; i < length; i++) {
          clipped[i] = Math.min(Math.max(w[g * length + i], -limit), limit);
        }
        double[] rounded = rounded(clipped, length, ones, bits, symmetric, 0);
        double error = 0;
        for (int t = 0; t < TOKENS; t++) {
          double sum = 0;
          for (int i = 0; i < length; i++) {
            sum += x[t * in + g % groups * length + i] * (w[g * length + i] - rounded[i]);
          }
          error += sum * sum;
        }
        least = Math.min(least, error);
        if (Math.abs(limits[g] - limit) < 1e-6 * most) {
          found = error;
        }
      }
      assertThat(found).as("group %s", g).isLessThanOrEqualTo(least * (1 + 1e-3));
      cut += limits[g] < 0.99 * most ? 1 : 0;
    }
    assertThat(cut).isGreaterThan(out * groups / 10);
    float[] applied = w.clone();
    new AwqClip(scheme, ScaleFormat.F32, MATMUL).apply(applied, out, in, limits);
    for (int i = 0; i < w.length; i++) {
      float limit = limits[i / length];
      assertThat(applied[i]).isEqualTo(Math.abs(w[i]) <= limit ? w[i] : Math.signum(w[i]) * limit);
    }
  }

  @Test
  void clippingWithoutInputsKeepsTheRangeAndQueriesAreLeftAlone() {
    AwqClip clip = new AwqClip(new WeightScheme(4, true, 0), ScaleFormat.F32, MATMUL);
    float[] w = {1, -3, 2, 0.5f};
    assertThat(clip.limits(w, 2, 2, new float[4], Workers.single())).containsExactly(3, 2);
    float[] broken = {1, 0, 0, Float.NaN};
    assertThatThrownBy(() -> clip.limits(w, 2, 2, broken, Workers.single()))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("row 0, group 0: the error is NaN");
    assertThat(AwqClip.takes(LinearRole.Q)).isFalse();
    assertThat(AwqClip.takes(LinearRole.K)).isFalse();
    assertThat(AwqClip.takes(LinearRole.V)).isTrue();
    assertThat(AwqClip.takes(LinearRole.DOWN)).isTrue();
  }

  /** Q(W·s)/s by the definition; in f32 up to the codes, as a group's largest weight is a tie. */
  private static double[] rounded(
      float[] w, int in, float[] s, int bits, boolean symmetric, int group) {
    int length = group == 0 ? in : group;
    double[] rounded = new double[w.length];
    int most = (1 << bits) - 1;
    for (int g = 0; g < w.length / length; g++) {
      float low = 0;
      float high = 0;
      for (int i = g * length; i < (g + 1) * length; i++) {
        low = Math.min(low, w[i] * s[i % in]);
        high = Math.max(high, w[i] * s[i % in]);
      }
      float scale = (symmetric ? 2 * Math.max(-low, high) : high - low) / most;
      double zero = symmetric ? 1 << (bits - 1) : Math.rint(-low / scale);
      for (int i = g * length; i < (g + 1) * length; i++) {
        double code = Math.rint(w[i] * s[i % in] / scale) + zero;
        rounded[i] = (double) scale * (Math.min(Math.max(code, 0), most) - zero) / s[i % in];
      }
    }
    return rounded;
  }

  private static double outputError(double[] x, int in, float[] w, double[] rounded) {
    double error = 0;
    for (int t = 0; t < TOKENS; t++) {
      for (int row = 0; row < w.length / in; row++) {
        double sum = 0;
        for (int i = 0; i < in; i++) {
          sum += x[t * in + i] * (w[row * in + i] - rounded[row * in + i]);
        }
        error += sum * sum;
      }
    }
    return error;
  }

  private static float[] narrow(double[] wide) {
    float[] values = new float[wide.length];
    for (int i = 0; i < wide.length; i++) {
      values[i] = (float) wide[i];
    }
    return values;
  }
}
