package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.QuantizationLoops;
import io.shardpress.kernels.quant.Steps;
import java.util.Arrays;

/**
 * A block of columns of {@link #ROWS} rows in coordinate descent, transposed as in {@link
 * GptqTile}. Rows that a last tile lacks have r = 0 and code 0, and never change.
 */
final class DescentTile {
  /** Rows of a tile. */
  static final int ROWS = 64;

  private final float[] r;
  private final float[] codes;
  private final float[] scales = new float[ROWS];
  private int begin;

  /**
   * @param columns of a block, at most
   */
  DescentTile(int columns) {
    r = new float[columns * ROWS];
    codes = new float[columns * ROWS];
  }

  /** Takes columns [begin, stop) of rows [first, end) of r and codes [… × in]. */
  void load(float[] from, byte[] fromCodes, int in, int first, int end, int begin, int stop) {
    this.begin = begin;
    for (int row = 0; row < ROWS; row++) {
      int at = (first + row) * in + begin;
      for (int i = 0; i < stop - begin; i++) {
        int place = i * ROWS + row;
        r[place] = first + row < end ? from[at + i] : 0;
        codes[place] = first + row < end ? fromCodes[at + i] & 0xFF : 0;
      }
    }
  }

  /** Puts the same columns and rows back. */
  void store(float[] into, byte[] intoCodes, int in, int first, int end, int begin, int stop) {
    for (int row = first; row < end; row++) {
      for (int i = begin; i < stop; i++) {
        int place = (i - begin) * ROWS + row - first;
        into[row * in + i] = r[place];
        intoCodes[row * in + i] = (byte) (int) codes[place];
      }
    }
  }

  /** The scales of a group for the columns that follow. */
  void scales(Steps steps, int first, int end, int group) {
    Arrays.fill(scales, 1);
    for (int row = first; row < end; row++) {
      scales[row - first] = steps.scales()[row * steps.groups() + group];
    }
  }

  /**
   * Gives a column's codes their best values, and r of the block's columns what follows from it.
   *
   * @param stop the block's end
   * @param changes receives ŵ before less ŵ after, at {@code at}
   * @return whether any code has changed
   */
  boolean descend(int column, int stop, float[] h, int in, int largest, float[] changes, int at) {
    int place = (column - begin) * ROWS;
    float curvature = h[column * in + column];
    QuantizationLoops loops = QuantizationLoops.chosen();
    loops.descendColumn(r, place, ROWS, scales, largest, curvature, codes, changes, at);
    boolean moved = false;
    for (int i = at; i < at + ROWS; i++) {
      moved |= changes[i] != 0;
    }
    if (moved) {
      loops.addOuter(changes, at, ROWS, h, column * in + begin, stop - begin, r, 0);
    }
    return moved;
  }
}
