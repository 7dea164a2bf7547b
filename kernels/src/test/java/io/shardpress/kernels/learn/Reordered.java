package io.shardpress.kernels.learn;

import io.shardpress.kernels.reference.Arrays64;
import java.util.Random;

/** Matrices whose columns are in another order. */
final class Reordered {
  private Reordered() {}

  /** Moments whose sizes span a decade, the columns in no order. */
  static float[] shuffledMoments(int n, Random random) {
    float[] h = Dense.moments(n, 2 * n + 5, random);
    int[] shuffled = new int[n];
    for (int i = 0; i < n; i++) {
      shuffled[i] = (int) ((i * 29L + 11) % n);
    }
    double[] wide = permuted(Arrays64.of(h), shuffled);
    for (int i = 0; i < h.length; i++) {
      h[i] = (float) wide[i];
    }
    return h;
  }

  /** Rows and columns of a square in an order. */
  static double[] permuted(double[] h, int[] order) {
    int n = order.length;
    double[] permuted = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        permuted[i * n + j] = h[order[i] * n + order[j]];
      }
    }
    return permuted;
  }

  /** Columns of w in an order. */
  static float[] columns(float[] w, int rows, int[] order) {
    int n = order.length;
    float[] permuted = new float[rows * n];
    for (int i = 0; i < permuted.length; i++) {
      permuted[i] = w[i / n * n + order[i % n]];
    }
    return permuted;
  }
}
