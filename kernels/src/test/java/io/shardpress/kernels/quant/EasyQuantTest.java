package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EasyQuantTest {
  private static final int ROWS = 40;
  private static final int IN = 64;

  @Test
  void outliersAreThoseBeyondNDeviations() {
    float[] w = weights(1);
    OutlierRule rule = rule(w, 3);
    double mean = 0;
    for (float value : w) {
      mean += value / (double) w.length;
    }
    double variance = 0;
    for (float value : w) {
      variance += (value - mean) * (value - mean) / w.length;
    }
    assertThat(rule.mean()).isCloseTo(mean, within(1e-12));
    assertThat(rule.distance()).isCloseTo(3 * Math.sqrt(variance), within(1e-9));
    List<Long> wanted = new ArrayList<>();
    for (int i = 0; i < w.length; i++) {
      if (Math.abs(w[i] - mean) >= 3 * Math.sqrt(variance)) {
        wanted.add((long) i);
      }
    }
    assertThat(wanted).hasSizeBetween(5, w.length / 50);
    SparseWeights outliers = quantize(w, 0, ROWS, scheme(4, true, 32), rule).outliers();
    assertThat(outliers.index()).containsExactly(wanted.stream().mapToLong(i -> i).toArray());
    for (int i = 0; i < outliers.count(); i++) {
      assertThat(outliers.value()[i]).isEqualTo(w[(int) outliers.index()[i]]);
    }
  }

  @ParameterizedTest
  @CsvSource({"4,true,32", "4,false,0", "3,false,16", "2,true,0", "8,false,64"})
  void outliersAreExactAndTheRestIsNoWorseThanRtnOfIt(int bits, boolean symmetric, int group) {
    float[] w = weights(2);
    WeightScheme scheme = scheme(bits, symmetric, group);
    OutlierRule rule = rule(w, 3);
    EasyQuant.Result result = quantize(w, 0, ROWS, scheme, rule);
    float[] found = result.dequantize(0);
    float[] rest = w.clone();
    boolean[] outlier = new boolean[w.length];
    for (long i : result.outliers().index()) {
      rest[(int) i] = 0;
      outlier[(int) i] = true;
    }
    float[] rtn =
        RoundToNearest.quantize(rest, ROWS, IN, scheme, ScaleFormat.BF16, new MinMax())
            .dequantize();
    double ours = 0;
    double theirs = 0;
    for (int i = 0; i < w.length; i++) {
      if (outlier[i]) {
        assertThat(found[i]).isEqualTo(w[i]);
        int zero = result.linear().steps().zeros()[i / result.linear().groupLength()];
        assertThat(result.linear().codes()[i] & 0xFF).isEqualTo(zero);
      } else {
        ours += Math.pow((double) found[i] - w[i], 2);
        theirs += Math.pow((double) rtn[i] - w[i], 2);
      }
    }
    assertThat(ours).isLessThanOrEqualTo(theirs * (1 + 1e-5));
    float[] whole =
        RoundToNearest.quantize(w, ROWS, IN, scheme, ScaleFormat.BF16, new MinMax()).dequantize();
    assertThat(ours).isLessThan(0.5 * squares(whole, w));
  }

  @Test
  void withoutOutliersItIsTheStepSearchAlone() {
    float[] w = weights(3);
    WeightScheme scheme = scheme(4, false, 32);
    EasyQuant.Result result = quantize(w, 0, ROWS, scheme, rule(w, Double.POSITIVE_INFINITY));
    assertThat(result.outliers().count()).isZero();
    float[] nearest =
        RoundToNearest.quantize(w, ROWS, IN, scheme, ScaleFormat.BF16, new MinMax()).dequantize();
    assertThat(squares(result.dequantize(0), w)).isLessThan(squares(nearest, w));
  }

  /** Tiles of rows, wherever they are cut, give what the whole tensor gives. */
  @Test
  void tilesAreTheWhole() {
    float[] w = weights(4);
    WeightScheme scheme = scheme(4, true, 16);
    OutlierRule rule = rule(w, 2);
    EasyQuant.Result whole = quantize(w, 0, ROWS, scheme, rule);
    byte[] codes = new byte[w.length];
    List<Long> index = new ArrayList<>();
    for (int first = 0; first < ROWS; first += 7) {
      int end = Math.min(ROWS, first + 7);
      EasyQuant.Result tile = quantize(w, first, end, scheme, rule);
      System.arraycopy(tile.linear().codes(), 0, codes, first * IN, (end - first) * IN);
      Arrays.stream(tile.outliers().index()).forEach(index::add);
      assertThat(tile.dequantize(first))
          .isEqualTo(Arrays.copyOfRange(whole.dequantize(0), first * IN, end * IN));
    }
    assertThat(codes).isEqualTo(whole.linear().codes());
    assertThat(index.stream().mapToLong(i -> i).toArray()).isEqualTo(whole.outliers().index());
  }

  /** A tile far down a tensor of more than 2^31 elements. */
  @Test
  void placesGoBeyondAnInt() {
    float[] w = new float[IN];
    w[5] = 10;
    EasyQuant.Result result =
        EasyQuant.quantize(
            w, 1, IN, 1L << 40, scheme(4, true, 0), ScaleFormat.BF16, new OutlierRule(0, 1));
    assertThat(result.outliers().index()).containsExactly((1L << 40) * IN + 5);
    assertThat(result.dequantize(1L << 40)).isEqualTo(w);
  }

  @Test
  void constantTensorsHaveNoOutliersAndBrokenOnesAreRefused() {
    for (float value : new float[] {0, 0.25f}) {
      float[] w = new float[ROWS * IN];
      Arrays.fill(w, value);
      EasyQuant.Result result = quantize(w, 0, ROWS, scheme(4, false, 0), rule(w, 3));
      assertThat(result.outliers().count()).isZero();
      assertThat(result.dequantize(0)).usingComparatorWithPrecision(1e-3f).containsOnly(value);
    }
    float[] broken = {1, Float.NaN, 2, Float.POSITIVE_INFINITY};
    List<ValueSummary> tiles = List.of(ValueSummary.of(broken));
    assertThatThrownBy(() -> OutlierRule.of(tiles, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 NaN and 1 infinite");
    assertThatThrownBy(() -> OutlierRule.of(List.of(), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("above 0");
  }

  /** Normal weights of which every hundredth is ten times as large, about a mean of 0.01. */
  private static float[] weights(int seed) {
    float[] w = Arrays64.gaussian(new Random(seed), ROWS * IN, 0.05);
    for (int i = 0; i < w.length; i++) {
      w[i] = (i % 101 == 0 ? 10 : 1) * w[i] + 0.01f;
    }
    return w;
  }

  private static OutlierRule rule(float[] w, double deviations) {
    List<ValueSummary> tiles = new ArrayList<>();
    for (int from = 0; from < w.length; from += 1000) {
      tiles.add(ValueSummary.of(Arrays.copyOfRange(w, from, Math.min(w.length, from + 1000))));
    }
    return OutlierRule.of(tiles, deviations);
  }

  private static WeightScheme scheme(int bits, boolean symmetric, int group) {
    return new WeightScheme(bits, symmetric, group);
  }

  private static EasyQuant.Result quantize(
      float[] w, int first, int end, WeightScheme scheme, OutlierRule rule) {
    float[] tile = Arrays.copyOfRange(w, first * IN, end * IN);
    return EasyQuant.quantize(tile, end - first, IN, first, scheme, ScaleFormat.BF16, rule);
  }

  private static double squares(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.pow((double) a[i] - b[i], 2);
    }
    return sum;
  }
}
