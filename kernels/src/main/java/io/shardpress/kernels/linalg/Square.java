package io.shardpress.kernels.linalg;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;

/**
 * A square row-major matrix, of which blocks are worked on in place.
 *
 * @param n rows and columns, also the elements between rows
 */
record Square(Matmul matmul, float[] data, int n, Workers workers) {
  Square {
    if (n < 0 || (long) n * n > data.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a %d×%d matrix needs %d elements, its array has %d",
              n,
              n,
              (long) n * n,
              data.length));
    }
  }

  int at(int row, int column) {
    return row * n + column;
  }
}
