package io.shardpress.kernels.matmul;

import java.util.Locale;

/**
 * A row-major matrix inside an array: f32 in {@code data}, or bf16, which widens to it exactly, in
 * {@code halves}; the other is null.
 *
 * @param rows rows as it lies
 * @param columns columns as it lies
 * @param stride elements between the starts of rows
 */
@SuppressWarnings(
    "ArrayRecordComponent") // it stands for a place in the array, and is never compared
record Matrix(
    String name, float[] data, short[] halves, int offset, int rows, int columns, int stride) {
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
    int length = data == null ? halves.length : data.length;
    if (end > length) {
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
              length));
    }
  }

  /** The index in the array of an entry. */
  int at(int row, int column) {
    return offset + row * stride + column;
  }

  boolean isBf16() {
    return halves != null;
  }

  /** The element at an index of the array. */
  float value(int index) {
    return halves == null ? data[index] : widened(halves[index]);
  }

  /** Copies elements that follow one another, from an index of the array on. */
  void copy(int index, int count, float[] to, int toIndex) {
    if (halves == null) {
      System.arraycopy(data, index, to, toIndex, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to[toIndex + i] = widened(halves[index + i]);
    }
  }

  private static float widened(short bf16) {
    return Float.intBitsToFloat(bf16 << 16);
  }
}
