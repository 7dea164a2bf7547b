package io.shardpress.kernels.matmul;

import java.util.Locale;

/**
 * A row-major matrix inside an array.
 *
 * @param rows rows as it lies
 * @param columns columns as it lies
 * @param stride elements between the starts of rows
 */
record Matrix(String name, float[] data, int offset, int rows, int columns, int stride) {
  Matrix {
    if (rows < 0 || columns < 0 || offset < 0 || stride < columns) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is %d×%d at offset %d with %d elements between rows; none may be negative, and rows must not overlap",
              name,
              rows,
              columns,
              offset,
              stride));
    }
    long end = rows == 0 || columns == 0 ? offset : offset + (rows - 1L) * stride + columns;
    if (end > data.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s is %d×%d at offset %d with %d elements between rows and ends at %d, but its array has %d",
              name,
              rows,
              columns,
              offset,
              stride,
              end,
              data.length));
    }
  }

  /** The index in the array of an entry. */
  int at(int row, int column) {
    return offset + row * stride + column;
  }
}
