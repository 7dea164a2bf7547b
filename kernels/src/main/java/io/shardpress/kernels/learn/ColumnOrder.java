package io.shardpress.kernels.learn;

import java.util.stream.IntStream;

/**
 * An order in which a weight's columns are taken: at place j stands column {@code columns[j]}.
 *
 * @param columns every column once
 */
record ColumnOrder(int[] columns) {
  /** Columns by falling importance, of equal ones the first first. */
  static ColumnOrder descending(float[] importance) {
    return new ColumnOrder(
        IntStream.range(0, importance.length)
            .boxed()
            .sorted((a, b) -> Float.compare(importance[b], importance[a]))
            .mapToInt(Integer::intValue)
            .toArray());
  }

  /** The columns of w [rows×in] in this order. */
  float[] take(float[] w, int rows) {
    int in = columns.length;
    float[] taken = new float[rows * in];
    for (int row = 0; row < rows; row++) {
      for (int j = 0; j < in; j++) {
        taken[row * in + j] = w[row * in + columns[j]];
      }
    }
    return taken;
  }

  /** As above for codes. */
  byte[] take(byte[] codes, int rows) {
    int in = columns.length;
    byte[] taken = new byte[rows * in];
    for (int row = 0; row < rows; row++) {
      for (int j = 0; j < in; j++) {
        taken[row * in + j] = codes[row * in + columns[j]];
      }
    }
    return taken;
  }

  /** Rows and columns of a square [in×in] in this order. */
  float[] takeBoth(float[] square) {
    int in = columns.length;
    float[] taken = new float[in * in];
    for (int i = 0; i < in; i++) {
      for (int j = 0; j < in; j++) {
        taken[i * in + j] = square[columns[i] * in + columns[j]];
      }
    }
    return taken;
  }

  /** Rows and columns of a square in this order, back in their own. */
  float[] putBothBack(float[] taken) {
    int in = columns.length;
    float[] square = new float[in * in];
    for (int i = 0; i < in; i++) {
      for (int j = 0; j < in; j++) {
        square[columns[i] * in + columns[j]] = taken[i * in + j];
      }
    }
    return square;
  }

  /** Columns in this order, back in their own, into w [rows×in]. */
  void putBack(float[] taken, float[] w, int rows) {
    int in = columns.length;
    for (int row = 0; row < rows; row++) {
      for (int j = 0; j < in; j++) {
        w[row * in + columns[j]] = taken[row * in + j];
      }
    }
  }

  /** As above for codes. */
  byte[] putBack(byte[] taken, int rows) {
    int in = columns.length;
    byte[] codes = new byte[rows * in];
    for (int row = 0; row < rows; row++) {
      for (int j = 0; j < in; j++) {
        codes[row * in + columns[j]] = taken[row * in + j];
      }
    }
    return codes;
  }
}
