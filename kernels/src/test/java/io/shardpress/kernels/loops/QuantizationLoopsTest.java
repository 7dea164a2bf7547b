package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.convert.HalfFloats;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link LoopsTest}, for the quantizers' loops. */
class QuantizationLoopsTest extends TwinsTest {
  private static Twins<QuantizationLoops> twins;
  private static QuantizationLoops scalar;
  private static QuantizationLoops vector;

  @BeforeAll
  static void vectorsAreThere() {
    twins = Twins.of(ScalarQuantizationLoops::new, VectorQuantizationLoops::new);
    scalar = twins.scalar();
    vector = twins.vector();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void elementWiseLoopsHaveTheOraclesBits(int n) {
    for (int at : PLACES) {
      float[] x = gaussian(at + n + 3, 2);
      float[] y = gaussian(at + n + 3, 2);
      float[] c = gaussian(n, 1);
      twins.compare(x, (loops, a) -> loops.lrqShrink(y, a, at, 0.01f, c, n));
      // Beyond what e^x can give, on both sides.
      twins.compare(x, (loops, a) -> loops.lrqShrink(y, a, at, 150, c, n));
      twins.compare(x, (loops, a) -> loops.lrqShrink(y, a, at, -150, c, n));
      twins.compare(x, (loops, a) -> loops.fakeQuantize(y, a, at, n, 0.3f, 7, 15));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 13, 16, 207, 4098})
  void squaredErrorsDifferByRoundingAlone(int n) {
    float tolerance = 1e-6f * (n + 1);
    for (int at : PLACES) {
      float[] x = gaussian(at + n + 1, 1);
      float[] importance = new float[n];
      Arrays.fill(importance, 0.5f);
      for (float[] weights : new float[][] {null, importance}) {
        assertThat(vector.squaredError(x, at, n, weights, 0, 0.2f, 7, 15))
            .isCloseTo(scalar.squaredError(x, at, n, weights, 0, 0.2f, 7, 15), within(tolerance));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 16, 32, 207, 4098})
  void lrqGradientsAreTheOracles(int n) {
    for (int at : PLACES) {
      float[] g = gaussian(at + n, 1);
      float[] v = gaussian(at + n, 1);
      float[] v2 = v.clone();
      float[] columns = gaussian(n + 2, 1);
      float[] columns2 = columns.clone();
      float[] sums = new float[2];
      float[] sums2 = new float[2];
      scalar.lrqGradients(g, v, at, n, 0.1f, 6, 15, columns, 2, sums);
      vector.lrqGradients(g, v2, at, n, 0.1f, 6, 15, columns2, 2, sums2);
      assertThat(v2).containsExactly(v);
      assertThat(columns2).containsExactly(columns);
      assertThat(sums2[0]).isCloseTo(sums[0], within(2e-6f * n));
      assertThat(sums2[1]).isCloseTo(sums[1], within(2e-6f * n));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 64, 72, 207})
  void gptqsLoopsHaveTheOraclesBits(int rows) {
    int columns = 5;
    float[] scales = gaussian(rows, 0.05);
    float[] zeros = new float[rows];
    for (int i = 0; i < rows; i++) {
      scales[i] = Math.abs(scales[i]) + 0.01f;
      zeros[i] = i % 16;
    }
    float[] w = gaussian(columns * rows, 0.3);
    w[0] = 1e30f;
    float[] codes = new float[w.length];
    float[] wantedCodes = new float[w.length];
    float[] u = gaussian(columns + 3, 1);
    float[] y = gaussian(columns * rows + 2, 1);
    for (int column = 0; column < columns; column++) {
      int at = column * rows;
      float[] errors = new float[rows + 1];
      float[] wanted = new float[rows + 1];
      vector.gptqColumn(w, at, rows, scales, zeros, 15, 0.7f, codes, errors, 1);
      scalar.gptqColumn(w, at, rows, scales, zeros, 15, 0.7f, wantedCodes, wanted, 1);
      assertThat(errors).containsExactly(wanted);
      twins.compare(y, (loops, a) -> loops.addOuter(wanted, 1, rows, u, 3, columns, a, 2));
    }
    assertThat(codes).containsExactly(wantedCodes);
    for (int i = 0; i < codes.length; i++) {
      int row = i % rows;
      double code = Math.rint(w[i] / scales[row]) + zeros[row];
      assertThat(codes[i]).isEqualTo((float) Math.min(Math.max(code, 0), 15));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 13, 16, 64, 207})
  void descentIsTheOraclesAndGoesToTheNearest(int rows) {
    int at = rows;
    float[] r = gaussian(2 * rows, 1);
    float[] scales = gaussian(rows, 0.1);
    float[] codes = new float[2 * rows];
    for (int i = 0; i < rows; i++) {
      scales[i] = Math.abs(scales[i]) + 0.01f;
      codes[at + i] = i % 16;
    }
    float[] before = codes.clone();
    float[] wantedCodes = codes.clone();
    float[] changes = new float[rows + 1];
    float[] wanted = new float[rows + 1];
    vector.descendColumn(r, at, rows, scales, 15, 3, codes, changes, 1);
    scalar.descendColumn(r, at, rows, scales, 15, 3, wantedCodes, wanted, 1);
    assertThat(codes).containsExactly(wantedCodes);
    assertThat(changes).containsExactly(wanted);
    for (int i = 0; i < rows; i++) {
      double place = before[at + i] - r[at + i] / (3.0 * scales[i]);
      double code = Math.min(Math.max(Math.rint(place), 0), 15);
      if (Math.abs(place - Math.floor(place) - 0.5) > 1e-4) {
        assertThat(codes[at + i]).isEqualTo((float) code);
      }
      assertThat(changes[1 + i]).isEqualTo(scales[i] * (before[at + i] - codes[at + i]));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 16, 20, 64, 207})
  void bf16LoopsAreTheOracles(int length) {
    int groups = 5;
    int[] pairs = new int[groups * length];
    float[] w = gaussian(2 * pairs.length, 1);
    for (int i = 0; i < pairs.length; i++) {
      int first = Short.toUnsignedInt(HalfFloats.toBf16(w[2 * i]));
      pairs[i] = first | HalfFloats.toBf16(w[2 * i + 1]) << 16;
    }
    int[] largest = new int[groups];
    int[] wantedLargest = new int[groups];
    vector.largestOfBf16(pairs, groups, length, largest);
    scalar.largestOfBf16(pairs, groups, length, wantedLargest);
    assertThat(largest).containsExactly(wantedLargest);

    float[] scales = {0.3f, 0.01f, 1, 7, 0.125f};
    int[] codes = new int[pairs.length];
    int[] wantedCodes = new int[pairs.length];
    double[] sums = new double[2];
    double[] wantedSums = new double[2];
    vector.nibblesOfBf16(pairs, groups, length, scales, codes, sums);
    scalar.nibblesOfBf16(pairs, groups, length, scales, wantedCodes, wantedSums);
    assertThat(codes).containsExactly(wantedCodes);
    for (int i = 0; i < sums.length; i++) {
      assertThat(sums[i]).isCloseTo(wantedSums[i], within(1e-5 * wantedSums[i]));
    }
  }
}
