package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.QuantizationLoops;
import io.shardpress.kernels.quant.Steps;
import java.util.Arrays;

/**
 * A block of columns of {@link #ROWS} rows, transposed: column after column, so that one loop goes
 * over a column's rows. Rows that a last tile lacks are zero, with a step of one.
 */
final class GptqTile {
  /** Rows of a tile. */
  static final int ROWS = 64;

  private final float[] weights;
  private final float[] codes;
  private final float[] scales = new float[ROWS];
  private final float[] zeros = new float[ROWS];
  private int begin;

  /**
   * @param columns of a block, at most
   */
  GptqTile(int columns) {
    weights = new float[columns * ROWS];
    codes = new float[columns * ROWS];
  }

  /** Takes columns [begin, stop) of rows [first, end) of w [… × in]. */
  void load(float[] w, int in, int first, int end, int begin, int stop) {
    this.begin = begin;
    for (int row = 0; row < ROWS; row++) {
      int at = (first + row) * in + begin;
      for (int i = 0; i < stop - begin; i++) {
        weights[i * ROWS + row] = first + row < end ? w[at + i] : 0;
      }
    }
  }

  /** Puts columns [from, to) back. */
  void store(float[] w, int in, int first, int end, int from, int to) {
    for (int row = first; row < end; row++) {
      for (int i = from; i < to; i++) {
        w[row * in + i] = weights[(i - begin) * ROWS + row - first];
      }
    }
  }

  /** The steps of a group for the columns that follow. */
  void steps(Steps steps, int first, int end, int group) {
    Arrays.fill(scales, 1);
    Arrays.fill(zeros, 0);
    for (int row = first; row < end; row++) {
      scales[row - first] = steps.scales()[row * steps.groups() + group];
      zeros[row - first] = steps.zeros()[row * steps.groups() + group];
    }
  }

  /**
   * Rounds a column and makes up for its errors in the block's columns behind it.
   *
   * @param stop the block's end
   * @param upper U [in×in]
   * @param largest code
   * @param errors receives the column's errors at {@code at}
   */
  void round(int column, int stop, float[] upper, int in, int largest, float[] errors, int at) {
    int place = (column - begin) * ROWS;
    float pivot = upper[column * in + column];
    QuantizationLoops.chosen()
        .gptqColumn(weights, place, ROWS, scales, zeros, largest, pivot, codes, errors, at);
    QuantizationLoops.chosen()
        .addOuter(
            errors,
            at,
            ROWS,
            upper,
            column * in + column + 1,
            stop - column - 1,
            weights,
            place + ROWS);
  }

  /** Writes the codes of columns [from, to) to [… × in]. */
  void codes(byte[] into, int in, int first, int end, int from, int to) {
    for (int row = first; row < end; row++) {
      for (int i = from; i < to; i++) {
        into[row * in + i] = (byte) (int) codes[(i - begin) * ROWS + row - first];
      }
    }
  }
}
