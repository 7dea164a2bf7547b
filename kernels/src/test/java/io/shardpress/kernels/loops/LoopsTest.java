package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.kernels.matmul.VectorWidth;
import java.util.Random;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The vector loops of this process's width against the oracle, over lengths around every multiple
 * of the lanes and at odd places. Element-wise results have the same bits; sums may differ by
 * rounding. The build runs it once for each width, and leaves out those that the processor has not.
 */
class LoopsTest {
  private static final int[] PLACES = {0, 1, 5, 16};
  private static Loops scalar;
  private static Loops vector;
  private final Random random = new Random(7);

  @BeforeAll
  static void vectorsAreThere() {
    assumeTrue(has(VectorWidth::chosen), "no vectors of that width");
    scalar = new ScalarLoops();
    vector = new VectorLoops();
    assertThat(vector.name()).isEqualTo("vector-" + VectorWidth.chosen());
  }

  private static boolean has(IntSupplier width) {
    try {
      return width.getAsInt() != 0;
    } catch (UnsupportedOperationException e) {
      return false;
    }
  }

  private float[] gaussian(int length, double deviation) {
    float[] x = new float[length];
    for (int i = 0; i < length; i++) {
      x[i] = (float) (random.nextGaussian() * deviation);
    }
    return x;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void elementWiseLoopsHaveTheOraclesBits(int n) {
    for (int at : PLACES) {
      int size = at + n + 3;
      float[] x = gaussian(size, 2);
      float[] y = gaussian(size, 2);
      float[] dy = gaussian(size, 1);
      compare(x, (loops, a) -> loops.swiGlu(dy, y, a, at, at + n));
      compare(
          x,
          (loops, a) -> {
            float[] dup = new float[size];
            float[] dgate = new float[size];
            loops.swiGluBackward(a, y, dy, dgate, dup, at, at + n);
            System.arraycopy(dgate, at, a, at, n);
            loops.addScaled(3, dup, at, a, at, n);
          });
      compare(x, (loops, a) -> loops.addScaled(0.3f, y, at, a, at, n));
      compare(x, (loops, a) -> loops.scale(0.3f, a, at, at + n));
      compare(x, (loops, a) -> loops.scaledProduct(y, 0.7f, a, at, a, at, n));
      compare(x, (loops, a) -> loops.softmaxGradient(y, a, at, n, 0.25f, 0.5f));
      compare(x, (loops, a) -> loops.lrqShrink(y, a, at, 0.01f, dy, n));
      compare(x, (loops, a) -> loops.fakeQuantize(y, a, at, n, 0.3f, 7, 15));
      compare(x, (loops, a) -> loops.expShifted(a, at, at + n, 1.5f));
      compare(
          x,
          (loops, a) -> {
            float[] m = y.clone();
            float[] u = new float[size];
            for (int i = 0; i < size; i++) {
              u[i] = dy[i] * dy[i];
            }
            loops.adam(a, dy, m, u, at, at + n, 1e-2f, 1e-8f);
            loops.addScaled(1, m, at, a, at, n);
            loops.addScaled(1, u, at, a, at, n);
          });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 8, 16, 20, 64})
  void rotationsHaveTheOraclesBits(int half) {
    float[] cos = gaussian(3 * half, 1);
    float[] sin = gaussian(3 * half, 1);
    compare(gaussian(2 * half + 5, 1), (loops, a) -> loops.rotate(a, 5, cos, sin, half, half, -1));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 13, 16, 207, 4098})
  void sumsDifferByRoundingAlone(int n) {
    for (int at : PLACES) {
      float[] x = gaussian(at + n + 1, 1);
      float[] y = gaussian(at + n + 1, 1);
      double tolerance = 1e-6 * (n + 1);
      assertThat(vector.max(x, at, at + n)).isEqualTo(scalar.max(x, at, at + n));
      assertThat(vector.dot(x, at, y, at, n))
          .isCloseTo(scalar.dot(x, at, y, at, n), within((float) tolerance));
      float[] importance = gaussian(n, 0).clone();
      java.util.Arrays.fill(importance, 0.5f);
      for (float[] weights : new float[][] {null, importance}) {
        assertThat(vector.squaredError(x, at, n, weights, 0, 0.2f, 7, 15))
            .isCloseTo(
                scalar.squaredError(x, at, n, weights, 0, 0.2f, 7, 15), within((float) tolerance));
      }
      float expected = scalar.expShifted(x.clone(), at, at + n, 0.5f);
      assertThat(vector.expShifted(x.clone(), at, at + n, 0.5f))
          .isCloseTo(expected, within((float) (tolerance * 4)));
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
      compare(y, (loops, a) -> loops.addOuter(wanted, 1, rows, u, 3, columns, a, 2));
    }
    assertThat(codes).containsExactly(wantedCodes);
    for (int i = 0; i < codes.length; i++) {
      int row = i % rows;
      double code = Math.rint(w[i] / scales[row]) + zeros[row];
      assertThat(codes[i]).isEqualTo((float) Math.min(Math.max(code, 0), 15));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 12, 207})
  void softmaxColumnsAreTheOracles(int rows) {
    for (int width : new int[] {8, 16, 32, 5}) {
      float[] x = gaussian(rows * width, 3);
      x[0] = Float.NEGATIVE_INFINITY;
      float[] small = new float[3 * width];
      float[] wantedSmall = new float[3 * width];
      compare(
          x,
          (loops, a) ->
              loops.softmaxColumns(
                  a, rows, width, loops == scalar ? wantedSmall : small, width, 2 * width));
      assertThat(small).containsExactly(wantedSmall);
    }
  }

  private interface Loop {
    void run(Loops loops, float[] x);
  }

  private static void compare(float[] x, Loop loop) {
    float[] wanted = x.clone();
    float[] found = x.clone();
    loop.run(scalar, wanted);
    loop.run(vector, found);
    assertThat(found).containsExactly(wanted);
  }
}
