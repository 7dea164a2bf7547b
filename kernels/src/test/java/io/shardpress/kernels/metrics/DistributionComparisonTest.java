package io.shardpress.kernels.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Streamed figures against softmax, KL and NLL written out over the whole vocabulary in f64. */
class DistributionComparisonTest {
  @ParameterizedTest
  @CsvSource({
    "1,1,1,1",
    "3,13,13,1",
    "3,13,1,5",
    "7,207,64,0.01",
    "70,257,32,20",
    "5,1000,999,100",
    "2,4098,512,3",
    "1,4098,7,40"
  })
  void streamsToTheDefinition(int positions, int vocabulary, int tile, float spread) {
    Random random = new Random(positions * 31L + vocabulary);
    float[] a = new float[positions * vocabulary];
    float[] b = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      a[i] = (float) random.nextGaussian() * spread;
      b[i] = a[i] + (float) random.nextGaussian() * 0.1f * spread;
    }
    int[] targets = random.ints(positions, 0, vocabulary).toArray();
    PositionFigures one = compare(a, b, targets, vocabulary, tile, Workers.single());
    PositionFigures three;
    try (Workers workers = Workers.of(3)) {
      three = compare(a, b, targets, vocabulary, tile, workers);
    }
    assertThat(one.count()).isEqualTo(positions);
    for (int i = 0; i < positions; i++) {
      double[] logP = logSoftmax(a, i * vocabulary, vocabulary);
      double[] logQ = logSoftmax(b, i * vocabulary, vocabulary);
      double kl = 0;
      for (int v = 0; v < vocabulary; v++) {
        kl += Math.exp(logP[v]) * (logP[v] - logQ[v]);
      }
      double tolerance = 1e-13 * (1 + spread) * vocabulary;
      assertThat(one.kl()[i]).isCloseTo(kl, within(tolerance)).isNotNegative();
      assertThat(one.originalNll()[i]).isCloseTo(-logP[targets[i]], within(tolerance));
      assertThat(one.compressedNll()[i]).isCloseTo(-logQ[targets[i]], within(tolerance));
      assertThat(one.agrees()[i]).isEqualTo(first(logP) == first(logQ));
    }
    assertThat(three.kl()).containsExactly(one.kl());
    assertThat(three.compressedNll()).containsExactly(one.compressedNll());
  }

  @Test
  void equalLogitsDivergeByExactlyNothing() {
    float[] a = {-80, 3, 3, 1e-3f, 90, -1e4f};
    PositionFigures figures = compare(a, a.clone(), new int[] {5}, 6, 4, Workers.single());
    assertThat(figures.kl()).containsExactly(0);
    assertThat(figures.agrees()).containsExactly(true);
    assertThat(figures.originalNll()[0]).isCloseTo(10090, within(1e-9));
  }

  @Test
  void aConstantAddedToAllLogitsChangesNothing() {
    float[] a = {1, 2, 3, 4, 8, 16};
    float[] b = {513, 514, 515, 516, 520, 528};
    PositionFigures figures = compare(a, b, new int[] {0}, 6, 2, Workers.single());
    assertThat(figures.kl()[0]).isCloseTo(0, within(1e-12));
    assertThat(figures.originalNll()[0]).isCloseTo(figures.compressedNll()[0], within(1e-12));
  }

  @Test
  void whatIsNotFiniteShows() {
    float[] a = {1, Float.NaN, 3};
    assertThat(compare(a, a, new int[] {0}, 3, 3, Workers.single()).kl()[0]).isNaN();
    float[] b = {1, Float.POSITIVE_INFINITY, 3};
    assertThat(compare(b, b, new int[] {0}, 3, 2, Workers.single()).kl()[0]).isNaN();
  }

  @Test
  void tilesComeInOrder() {
    DistributionComparison comparison = new DistributionComparison(new int[1]);
    comparison.tile(0, 2, new float[2], new float[2], Workers.single());
    assertThatThrownBy(() -> comparison.tile(3, 1, new float[1], new float[1], Workers.single()))
        .hasMessage("tile begins at 3, want 2");
  }

  private static PositionFigures compare(
      float[] a, float[] b, int[] targets, int vocabulary, int tile, Workers workers) {
    DistributionComparison comparison = new DistributionComparison(targets);
    for (int first = 0; first < vocabulary; first += tile) {
      int columns = Math.min(tile, vocabulary - first);
      comparison.tile(
          first,
          columns,
          cut(a, vocabulary, first, columns),
          cut(b, vocabulary, first, columns),
          workers);
    }
    return comparison.figures();
  }

  private static float[] cut(float[] logits, int vocabulary, int first, int columns) {
    int rows = logits.length / vocabulary;
    float[] tile = new float[rows * columns];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(logits, row * vocabulary + first, tile, row * columns, columns);
    }
    return tile;
  }

  private static double[] logSoftmax(float[] logits, int at, int length) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < length; i++) {
      max = Math.max(max, logits[at + i]);
    }
    double sum = 0;
    for (int i = 0; i < length; i++) {
      sum += Math.exp(logits[at + i] - max);
    }
    double[] result = new double[length];
    for (int i = 0; i < length; i++) {
      result[i] = logits[at + i] - max - Math.log(sum);
    }
    return result;
  }

  private static int first(double[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
