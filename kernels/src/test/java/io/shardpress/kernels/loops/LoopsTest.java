package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.VectorWidth;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The vector loops of this process's width against the oracle, over lengths around every multiple
 * of the lanes and at odd places. Element-wise results have the same bits; sums may differ by
 * rounding. The build runs it once for each width, and leaves out those that the processor has not.
 */
class LoopsTest extends TwinsTest {
  private static Twins<Loops> twins;
  private static Loops scalar;
  private static Loops vector;

  @BeforeAll
  static void vectorsAreThere() {
    twins = Twins.of(ScalarLoops::new, VectorLoops::new);
    scalar = twins.scalar();
    vector = twins.vector();
    assertThat(vector.name()).isEqualTo("vector-" + VectorWidth.chosen());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void elementWiseLoopsHaveTheOraclesBits(int n) {
    for (int at : PLACES) {
      int size = at + n + 3;
      float[] x = gaussian(size, 2);
      float[] y = gaussian(size, 2);
      float[] dy = gaussian(size, 1);
      twins.compare(x, (loops, a) -> loops.swiGlu(dy, y, a, at, at + n));
      twins.compare(
          x,
          (loops, a) -> {
            float[] dup = new float[size];
            float[] dgate = new float[size];
            loops.swiGluBackward(a, y, dy, dgate, dup, at, at + n);
            System.arraycopy(dgate, at, a, at, n);
            loops.addScaled(3, dup, at, a, at, n);
          });
      twins.compare(x, (loops, a) -> loops.addScaled(0.3f, y, at, a, at, n));
      twins.compare(x, (loops, a) -> loops.scale(0.3f, a, at, at + n));
      twins.compare(x, (loops, a) -> loops.scaledProduct(y, 0.7f, a, at, a, at, n));
      twins.compare(x, (loops, a) -> loops.softmaxGradient(y, a, at, n, 0.25f, 0.5f));
      twins.compare(x, (loops, a) -> loops.expShifted(a, at, at + n, 1.5f));
      twins.compare(
          x,
          (loops, a) -> {
            float[] m = y.clone();
            float[] u = new float[size];
            for (int i = 0; i < size; i++) {
              u[i] = dy[i] * dy[i];
            }
            loops.adam(a, dy, m, u, at, at + n, 1e-2f, 1e-8f, 0.999f);
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
    twins.compare(
        gaussian(2 * half + 5, 1), (loops, a) -> loops.rotate(a, 5, cos, sin, half, half, -1));
  }

  /** Gates far beyond what e^x can give, on both sides. */
  @ParameterizedTest
  @ValueSource(ints = {16, 33, 207})
  void gatesFarFromZeroHaveTheOraclesBits(int n) {
    float[] gate = gaussian(n, 300);
    gate[3] = -Float.MAX_VALUE;
    gate[5] = Float.MAX_VALUE;
    float[] up = gaussian(n, 1);
    float[] dy = gaussian(n, 1);
    twins.compare(new float[n], (loops, y) -> loops.swiGlu(gate, up, y, 0, n));
    twins.compare(
        new float[n],
        (loops, dgate) -> loops.swiGluBackward(gate, up, dy, dgate, new float[n], 0, n));
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
      float expected = scalar.expShifted(x.clone(), at, at + n, 0.5f);
      assertThat(vector.expShifted(x.clone(), at, at + n, 0.5f))
          .isCloseTo(expected, within((float) (tolerance * 4)));
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
      twins.compare(
          x,
          (loops, a) ->
              loops.softmaxColumns(
                  a, rows, width, loops == scalar ? wantedSmall : small, width, 2 * width));
      assertThat(small).containsExactly(wantedSmall);
    }
  }
}
