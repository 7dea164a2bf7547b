package io.shardpress.kernels.nn;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RopeTest {
  @ParameterizedTest
  @CsvSource({"1,1,1,1", "2,7,3,4", "3,40,2,16", "1,300,1,8"})
  void forwardAndGradient(int windows, int window, int heads, int half) {
    double[] frequencies = frequencies(half);
    int rows = windows * window;
    int n = rows * heads * 2 * half;
    Random random = new Random(n);
    float[] x = Arrays64.gaussian(random, n, 1);
    double[] wide = Arrays64.of(x);
    Rope rope = new Rope(frequencies, window);

    float[] y = x.clone();
    rope.forward(rows, window, heads, y, Workers.single());
    Difference.assertWithin("y", y, Oracle.rope(rows, window, heads, wide, frequencies), 2e-6);

    float[] dy = Arrays64.gaussian(random, n, 1);
    float[] dx = dy.clone();
    rope.backward(rows, window, heads, dx, Workers.single());
    NumericGradient.check(
        "x",
        () -> Arrays64.dot(Oracle.rope(rows, window, heads, wide, frequencies), dy),
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
    Rope rope = new Rope(frequencies(half), window);
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
