package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnVectors
class RowFactorsTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int TOKENS = 37;
  private static final int IN = 11;
  private static final int[] WIDTHS = {20, 9, 9};
  private static final int ROWS = 38;

  private final Random random = new Random(1);
  private final float[] x = Arrays64.gaussian(random, TOKENS * IN, 1);
  private final float[] g = Arrays64.gaussian(random, TOKENS * ROWS, 1e-3);

  /** Σ |x|²·g·gᵀ in f64. */
  private double[] wanted(int[] rows) {
    int n = rows.length;
    double[] a = new double[n * n];
    for (int t = 0; t < TOKENS; t++) {
      double square = 0;
      for (int i = 0; i < IN; i++) {
        square += (double) x[t * IN + i] * x[t * IN + i];
      }
      for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
          a[i * n + k] += square * g[t * ROWS + rows[i]] * (double) g[t * ROWS + rows[k]];
        }
      }
    }
    return a;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 7, 16, 1000})
  void tilesHaveTheSumsOfTheirRows(int most) {
    for (RowTiling tiling :
        new RowTiling[] {
          RowTiling.whole(WIDTHS), RowTiling.apart(most, WIDTHS), RowTiling.together(most, WIDTHS)
        }) {
      RowFactors factors = new RowFactors(tiling, MATMUL);
      int[] seen = new int[ROWS];
      int half = TOKENS / 2;
      factors.add(half, IN, x, g, Workers.single());
      RowFactors rest = new RowFactors(tiling, MATMUL);
      rest.add(
          TOKENS - half,
          IN,
          Arrays.copyOfRange(x, half * IN, x.length),
          Arrays.copyOfRange(g, half * ROWS, g.length),
          Workers.single());
      factors.merge(rest);
      double trace = 0;
      for (int t = 0; t < tiling.tiles().length; t++) {
        int[] rows = tiling.tiles()[t];
        assertThat(rows.length).isBetween(1, tiling.tiles().length == 1 ? ROWS : most);
        double[] wanted = wanted(rows);
        Difference.assertWithin("tile", factors.sum(t), wanted, 1e-4);
        for (int i = 0; i < rows.length; i++) {
          seen[rows[i]]++;
          trace += wanted[i * rows.length + i];
          for (int k = 0; k < i; k++) {
            assertThat(factors.sum(t)[i * rows.length + k])
                .isEqualTo(factors.sum(t)[k * rows.length + i]);
          }
        }
      }
      assertThat(seen).containsOnly(1);
      assertThat(factors.meanDiagonal()).isCloseTo(trace / ROWS, within(1e-4 * trace / ROWS));
      float[] a = factors.normalised(0, 0.1);
      int n = tiling.tiles()[0].length;
      double[] first = wanted(tiling.tiles()[0]);
      for (int i = 0; i < n * n; i++) {
        double entry = first[i] / (trace / ROWS) + (i / n == i % n ? 0.1 : 0);
        assertThat((double) a[i]).isCloseTo(entry, within(1e-4));
      }
    }
  }

  @Test
  void tilingsCutAsTheySay() {
    RowTiling apart = RowTiling.apart(8, WIDTHS);
    assertThat(apart.tiles()).hasNumberOfRows(3 + 2 + 2);
    for (int[] tile : apart.tiles()) {
      assertThat(tile.length).isLessThanOrEqualTo(8);
    }
    RowTiling together = RowTiling.together(16, 16, 16);
    assertThat(together.tiles()).hasNumberOfRows(2);
    assertThat(together.tiles()[0])
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    assertThat(together.rowsOf(1, 0)).containsExactly(8, 9, 10, 11, 12, 13, 14, 15);
    assertThat(together.rowsOf(1, 1)).containsExactly(8, 9, 10, 11, 12, 13, 14, 15);
    assertThat(RowTiling.whole(WIDTHS).rowsOf(0, 2)).hasSize(9).startsWith(0).endsWith(8);
  }

  @Test
  void sameBitsForAnyThreads() {
    RowTiling tiling = RowTiling.together(16, WIDTHS);
    RowFactors one = new RowFactors(tiling, MATMUL);
    one.add(TOKENS, IN, x, g, Workers.single());
    try (Workers workers = Workers.of(3)) {
      RowFactors three = new RowFactors(tiling, MATMUL);
      three.add(TOKENS, IN, x, g, workers);
      for (int t = 0; t < tiling.tiles().length; t++) {
        assertThat(three.sum(t)).isEqualTo(one.sum(t));
      }
    }
  }

  @Test
  void withoutAnyGradientRowsAreByThemselves() {
    RowFactors factors = new RowFactors(RowTiling.whole(3), MATMUL);
    factors.add(5, IN, x, new float[15], Workers.single());
    assertThat(factors.normalised(0, 0.1)).containsExactly(1, 0, 0, 0, 1, 0, 0, 0, 1);
  }

  @Test
  void refusesSumsThatAreNoNumbers() {
    float[] broken = g.clone();
    broken[7] = Float.NaN;
    RowFactors factors = new RowFactors(RowTiling.whole(WIDTHS), MATMUL);
    factors.add(TOKENS, IN, x, broken, Workers.single());
    assertThatThrownBy(() -> factors.normalised(0, 0.1))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageContaining("NaN");
  }
}
