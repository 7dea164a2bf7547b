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
      wanted +=
          AwqOracle.outputError(x, in, w, AwqOracle.rounded(w, in, s, bits, symmetric, group));
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
    double before =
        AwqOracle.outputError(x, in, w, AwqOracle.rounded(w, in, narrow(plain), 3, false, 32));
    float[] s = choice.scales().values();
    double after = AwqOracle.outputError(x, in, w, AwqOracle.rounded(w, in, s, 3, false, 32));
    assertThat(after).isLessThan(0.3 * before);
    assertThat(choice.ratio()).isGreaterThan(0);
  }

  private static float[] narrow(double[] wide) {
    float[] values = new float[wide.length];
    for (int i = 0; i < wide.length; i++) {
      values[i] = (float) wide[i];
    }
    return values;
  }
}
