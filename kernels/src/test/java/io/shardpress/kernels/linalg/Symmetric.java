package io.shardpress.kernels.linalg;

import java.util.Random;

/** Matrices for tests, and their algebra in f64, written out plainly. */
final class Symmetric {
  private Symmetric() {}

  /**
   * Second moments of correlated columns, whose scales span two decades, with a hundredth of the
   * mean diagonal added: what GPTQ factors.
   */
  static float[] moments(int n, int rows, long seed) {
    Random random = new Random(seed);
    double[] h = new double[n * n];
    for (int r = 0; r < rows; r++) {
      double common = random.nextGaussian();
      double[] x = new double[n];
      for (int i = 0; i < n; i++) {
        x[i] = Math.pow(10, -2.0 * i / n) * (random.nextGaussian() + common);
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          h[i * n + j] += x[i] * x[j];
        }
      }
    }
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += h[i * n + i];
    }
    float[] result = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double damping = i == j ? 0.01 * trace / n : 0;
        result[i * n + j] = (float) (h[i * n + j] + damping);
      }
    }
    return result;
  }

  /** op(A)·op(B) of n×n matrices. */
  static double[] product(float[] a, boolean transposeA, float[] b, boolean transposeB, int n) {
    double[] c = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        double left = transposeA ? a[k * n + i] : a[i * n + k];
        for (int j = 0; j < n; j++) {
          c[i * n + j] += left * (transposeB ? b[j * n + k] : b[k * n + j]);
        }
      }
    }
    return c;
  }

  /** The largest entry's size. */
  static double largest(float[] a) {
    double largest = 0;
    for (float value : a) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  /** Lower Cholesky factor in f64 by columns: the textbook's loop. */
  static double[] factor(double[] a, int n) {
    double[] l = new double[n * n];
    for (int j = 0; j < n; j++) {
      for (int i = j; i < n; i++) {
        double sum = a[i * n + j];
        for (int k = 0; k < j; k++) {
          sum -= l[i * n + k] * l[j * n + k];
        }
        l[i * n + j] = i == j ? Math.sqrt(sum) : sum / l[j * n + j];
      }
    }
    return l;
  }

  /** The inverse of a symmetric positive definite matrix in f64, by solving for unit vectors. */
  static double[] inverse(float[] a, int n) {
    double[] wide = new double[n * n];
    for (int i = 0; i < n * n; i++) {
      wide[i] = a[i];
    }
    double[] l = factor(wide, n);
    double[] inverse = new double[n * n];
    for (int column = 0; column < n; column++) {
      double[] x = new double[n];
      for (int i = 0; i < n; i++) {
        double sum = i == column ? 1 : 0;
        for (int k = 0; k < i; k++) {
          sum -= l[i * n + k] * x[k];
        }
        x[i] = sum / l[i * n + i];
      }
      for (int i = n - 1; i >= 0; i--) {
        double sum = x[i];
        for (int k = i + 1; k < n; k++) {
          sum -= l[k * n + i] * x[k];
        }
        x[i] = sum / l[i * n + i];
        inverse[i * n + column] = x[i];
      }
    }
    return inverse;
  }
}
