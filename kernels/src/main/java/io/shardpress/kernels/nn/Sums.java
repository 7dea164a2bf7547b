package io.shardpress.kernels.nn;

/**
 * Sums in an order that depends on the length alone: four interleaved f64 partial sums. Vector
 * reductions leave the order to the hardware, these do not.
 */
final class Sums {
  private Sums() {}

  static double ofSquares(float[] x, int at, int length) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int j = 0;
    for (; j + 4 <= length; j += 4) {
      s0 += (double) x[at + j] * x[at + j];
      s1 += (double) x[at + j + 1] * x[at + j + 1];
      s2 += (double) x[at + j + 2] * x[at + j + 2];
      s3 += (double) x[at + j + 3] * x[at + j + 3];
    }
    for (; j < length; j++) {
      s0 += (double) x[at + j] * x[at + j];
    }
    return (s0 + s1) + (s2 + s3);
  }

  static double ofProducts(float[] x, int xAt, float[] y, int yAt, int length) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int j = 0;
    for (; j + 4 <= length; j += 4) {
      s0 += (double) x[xAt + j] * y[yAt + j];
      s1 += (double) x[xAt + j + 1] * y[yAt + j + 1];
      s2 += (double) x[xAt + j + 2] * y[yAt + j + 2];
      s3 += (double) x[xAt + j + 3] * y[yAt + j + 3];
    }
    for (; j < length; j++) {
      s0 += (double) x[xAt + j] * y[yAt + j];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
