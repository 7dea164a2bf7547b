package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class RopeTest {
  @ParameterizedTest
  @CsvSource({"1,1,1,1,2,1", "2,7,3,4,8,1", "3,40,2,16,32,1", "1,300,1,8,16,1", "2,9,3,3,8,1.2"})
  void forwardAndGradient(
      int windows, int window, int heads, int half, int width, double magnitude) {
    double[] frequencies = frequencies(half);
    Rotation rotation = new Rotation(frequencies, null, 0, magnitude);
    int rows = windows * window;
    int n = rows * heads * width;
    Random random = new Random(n);
    float[] x = Arrays64.gaussian(random, n, 1);
    double[] wide = Arrays64.of(x);
    Rope rope = new Rope(rotation, width, window);

    float[] y = x.clone();
    rope.forward(rows, window, heads, y, Workers.single());
    Difference.assertWithin("y", y, Oracle.rope(rows, window, heads, width, wide, rotation), 2e-6);

    float[] dy = Arrays64.gaussian(random, n, 1);
    float[] dx = dy.clone();
    rope.backward(rows, window, heads, dx, Workers.single());
    NumericGradient.check(
        "x",
        () -> Arrays64.dot(Oracle.rope(rows, window, heads, width, wide, rotation), dy),
        wide,
        dx,
        100,
        1e-4);
  }

  /** Scores depend on the distance of two positions alone. */
  @Test
  void scoresDependOnDistance() {
    int window = 64;
    int half = 8;
    Random random = new Random(5);
    float[] query = Arrays64.gaussian(random, 2 * half, 1);
    float[] key = Arrays64.gaussian(random, 2 * half, 1);
    float[] queries = repeated(query, window);
    float[] keys = repeated(key, window);
    Rope rope = new Rope(new Rotation(frequencies(half)), 2 * half, window);
    rope.forward(window, window, 1, queries, Workers.single());
    rope.forward(window, window, 1, keys, Workers.single());
    int distance = 11;
    float[] scores = new float[window - distance];
    double[] wanted = new double[scores.length];
    for (int t = 0; t < scores.length; t++) {
      for (int i = 0; i < 2 * half; i++) {
        scores[t] += queries[(t + distance) * 2 * half + i] * keys[t * 2 * half + i];
        wanted[t] += (double) queries[distance * 2 * half + i] * key[i];
      }
    }
    Difference.assertWithin("score at distance " + distance, scores, wanted, 1e-5);
  }

  /** Longrope has other frequencies in windows that are longer than those of the first training. */
  @Test
  void longWindowsHaveFrequenciesOfTheirOwn() {
    double[] one = {0.5};
    double[] other = {0.125};
    Rotation rotation = new Rotation(one, other, 6, 1);
    for (int window : new int[] {6, 7}) {
      float[] x = repeated(new float[] {1, 0}, window);
      new Rope(rotation, 2, window).forward(window, window, 1, x, Workers.single());
      double angle = (window - 1) * (window == 6 ? 0.5 : 0.125);
      assertThat(x[2 * window - 2]).isCloseTo((float) Math.cos(angle), within(1e-6f));
      assertThat(x[2 * window - 1]).isCloseTo((float) Math.sin(angle), within(1e-6f));
    }
  }

  private static float[] repeated(float[] row, int times) {
    float[] all = new float[row.length * times];
    for (int t = 0; t < times; t++) {
      System.arraycopy(row, 0, all, t * row.length, row.length);
    }
    return all;
  }

  private static double[] frequencies(int half) {
    double[] frequencies = new double[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = Math.pow(10000, -(double) i / half);
    }
    return frequencies;
  }
}
