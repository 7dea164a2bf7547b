package io.shardpress.kernels.linalg;

/**
 * What recursion ends in: a small block on the diagonal, worked on in f64 so that its rounding does
 * not add to that of the large products.
 */
final class DiagonalBlock {
  /** Rows of the largest block. */
  static final int SIZE = 64;

  private final double[] l = new double[SIZE * SIZE];
  private final double[] inverse = new double[SIZE * SIZE];

  /**
   * Replaces a block by its lower Cholesky factor, and what lies above its diagonal by zeros.
   *
   * @throws NotPositiveDefiniteException with the pivot counted in the whole matrix
   */
  void factor(Square a, int start, int size) {
    read(a, start, size);
    for (int j = 0; j < size; j++) {
      double pivot = l[j * SIZE + j] - dot(j, j, j);
      if (!(pivot > 0) || Double.isInfinite(pivot)) {
        throw new NotPositiveDefiniteException(start + j, pivot, a.n());
      }
      double root = Math.sqrt(pivot);
      l[j * SIZE + j] = root;
      for (int i = j + 1; i < size; i++) {
        l[i * SIZE + j] = (l[i * SIZE + j] - dot(i, j, j)) / root;
      }
    }
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        a.data()[a.at(start + i, start + j)] = j > i ? 0 : (float) l[i * SIZE + j];
      }
    }
  }

  /** Writes the inverse of a lower triangular block, with zeros above its diagonal. */
  void invert(Square a, int start, int size, float[] to, int offset, int stride) {
    read(a, start, size);
    for (int j = 0; j < size; j++) {
      for (int i = 0; i < size; i++) {
        double value = i < j ? 0 : i == j ? 1 : -rowTimesColumn(i, j);
        inverse[i * SIZE + j] = i < j ? 0 : value / l[i * SIZE + i];
        to[offset + i * stride + j] = (float) inverse[i * SIZE + j];
      }
    }
  }

  private void read(Square a, int start, int size) {
    for (int i = 0; i < size; i++) {
      for (int j = 0; j <= i; j++) {
        l[i * SIZE + j] = a.data()[a.at(start + i, start + j)];
      }
    }
  }

  private double dot(int row, int otherRow, int length) {
    double sum = 0;
    for (int k = 0; k < length; k++) {
      sum += l[row * SIZE + k] * l[otherRow * SIZE + k];
    }
    return sum;
  }

  private double rowTimesColumn(int row, int column) {
    double sum = 0;
    for (int k = column; k < row; k++) {
      sum += l[row * SIZE + k] * inverse[k * SIZE + column];
    }
    return sum;
  }
}
