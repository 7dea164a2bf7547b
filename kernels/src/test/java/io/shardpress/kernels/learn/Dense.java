package io.shardpress.kernels.learn;

import java.util.Random;

/** Dense f64 matrices of tests, row-major, by the plainest loops. */
final class Dense {
  private Dense() {}

  /** XᵀX of correlated columns whose sizes span a decade. */
  static float[] moments(int n, int tokens, Random random) {
    return product(n, inputs(n, tokens, random), null, tokens);
  }

  /** Tokens × n inputs: a part that all columns share, and one of their own. */
  static double[] inputs(int n, int tokens, Random random) {
    double[] x = new double[tokens * n];
    for (int t = 0; t < tokens; t++) {
      double shared = random.nextGaussian();
      for (int i = 0; i < n; i++) {
        x[t * n + i] = Math.pow(10, -(double) i / n) * (random.nextGaussian() + shared);
      }
    }
    return x;
  }

  /** XᵀY [n×n] in f32, Y = X where null. */
  static float[] product(int n, double[] x, double[] y, int tokens) {
    double[] right = y == null ? x : y;
    double[] sum = new double[n * n];
    for (int t = 0; t < tokens; t++) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          sum[i * n + j] += x[t * n + i] * right[t * n + j];
        }
      }
    }
    float[] result = new float[n * n];
    for (int i = 0; i < n * n; i++) {
      result[i] = (float) sum[i];
    }
    return result;
  }

  /** H + share·mean(diag H)·I. */
  static double[] damped(float[] h, int n, double share) {
    double[] a = new double[n * n];
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += h[i * n + i];
    }
    for (int i = 0; i < n * n; i++) {
      a[i] = h[i] + (i / n == i % n ? share * trace / n : 0);
    }
    return a;
  }

  /** A⁻¹ by Gauss and Jordan with pivots. */
  static double[] inverse(double[] matrix, int n) {
    double[] a = matrix.clone();
    double[] b = new double[n * n];
    for (int i = 0; i < n; i++) {
      b[i * n + i] = 1;
    }
    for (int c = 0; c < n; c++) {
      int pivot = c;
      for (int r = c + 1; r < n; r++) {
        if (Math.abs(a[r * n + c]) > Math.abs(a[pivot * n + c])) {
          pivot = r;
        }
      }
      for (int j = 0; j < n; j++) {
        swap(a, c * n + j, pivot * n + j);
        swap(b, c * n + j, pivot * n + j);
      }
      double inverse = 1 / a[c * n + c];
      for (int j = 0; j < n; j++) {
        a[c * n + j] *= inverse;
        b[c * n + j] *= inverse;
      }
      for (int r = 0; r < n; r++) {
        double factor = a[r * n + c];
        if (r != c && factor != 0) {
          for (int j = 0; j < n; j++) {
            a[r * n + j] -= factor * a[c * n + j];
            b[r * n + j] -= factor * b[c * n + j];
          }
        }
      }
    }
    return b;
  }

  private static void swap(double[] a, int i, int j) {
    double kept = a[i];
    a[i] = a[j];
    a[j] = kept;
  }

  /** e·H·eᵀ of one row. */
  static double form(double[] e, double[] h) {
    int n = e.length;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        sum += e[i] * h[i * n + j] * e[j];
      }
    }
    return sum;
  }
}
