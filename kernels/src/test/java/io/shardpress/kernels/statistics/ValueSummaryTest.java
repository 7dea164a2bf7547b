package io.shardpress.kernels.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ValueSummaryTest {
  private static final MathContext EXACT = new MathContext(60);

  @Test
  void piecesMergedInOrderGiveTheMomentsOfTheWhole() {
    Random random = new Random(5);
    for (int size : new int[] {1, 3, 13, 207, 4098}) {
      float[] values = new float[size];
      for (int i = 0; i < size; i++) {
        values[i] = random.nextInt(9) == 0 ? 0 : (float) (1000 + random.nextGaussian());
      }
      ValueSummary merged = ValueSummary.EMPTY;
      for (int at = 0; at < size; ) {
        int end = Math.min(size, at + random.nextInt(700));
        merged = merged.merge(ValueSummary.of(Arrays.copyOfRange(values, at, end)));
        at = end;
      }
      BigDecimal mean = BigDecimal.ZERO;
      for (float value : values) {
        mean = mean.add(new BigDecimal(value));
      }
      mean = mean.divide(BigDecimal.valueOf(size), EXACT);
      BigDecimal squares = BigDecimal.ZERO;
      float[] sorted = values.clone();
      Arrays.sort(sorted);
      long zeros = 0;
      for (float value : values) {
        squares = squares.add(new BigDecimal(value).subtract(mean).pow(2));
        zeros += value == 0 ? 1 : 0;
      }
      double deviation = squares.divide(BigDecimal.valueOf(size), EXACT).sqrt(EXACT).doubleValue();
      assertThat(merged.count()).isEqualTo(size);
      assertThat(merged.zeros()).isEqualTo(zeros);
      assertThat(merged.min()).isEqualTo(sorted[0]);
      assertThat(merged.max()).isEqualTo(sorted[size - 1]);
      assertThat(merged.mean()).isCloseTo(mean.doubleValue(), within(1e-10 * 1000));
      assertThat(merged.standardDeviation()).isCloseTo(deviation, within(1e-9));
    }
  }

  @Test
  void whatIsNotFiniteIsCountedApart() {
    float[] values = {
      Float.NaN, -3, Float.POSITIVE_INFINITY, 1, Float.NEGATIVE_INFINITY, -0f, Float.NaN, Float.NaN
    };
    ValueSummary summary = ValueSummary.of(values).merge(ValueSummary.of(new float[] {Float.NaN}));
    assertThat(summary.count()).isEqualTo(3);
    assertThat(summary.nans()).isEqualTo(4);
    assertThat(summary.infinities()).isEqualTo(2);
    assertThat(summary.zeros()).isEqualTo(1);
    assertThat(summary.absMax()).isEqualTo(3);
    ValueSummary none = ValueSummary.EMPTY.merge(ValueSummary.of(new float[] {Float.NaN}));
    assertThat(none.nans()).isEqualTo(1);
    assertThat(none.absMax()).isZero();
    assertThat(none.standardDeviation()).isZero();
  }
}
