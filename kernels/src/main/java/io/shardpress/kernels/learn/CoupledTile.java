package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.CoupledLoops;
import io.shardpress.kernels.loops.QuantizationLoops;
import java.util.Arrays;

/**
 * A block of columns of {@link #ROWS} rows in coupled descent, transposed as in {@link
 * DescentTile}, with the rows' own block of A. Rows that a last tile lacks have slope 0 and never
 * change.
 */
final class CoupledTile {
  /** Rows of a tile. */
  static final int ROWS = 128;

  /** Columns of a tile, at most. */
  static final int COLUMNS = 128;

  /** A·E·H of the tile, [columns × ROWS]: what the caller puts there, kept up to date. */
  final float[] slopes = new float[COLUMNS * ROWS];

  private final float[] codes = new float[COLUMNS * ROWS];
  private final float[] scales = new float[ROWS];
  private final float[] largest = new float[ROWS];
  private final float[] a = new float[ROWS * ROWS];
  private final float[] diagonal = new float[ROWS];
  private final float[] u = new float[ROWS];
  private CoupledRows of;
  private int first;
  private int end;
  private int begin;
  private int stop;

  /**
   * Takes rows [first, end) and columns [begin, stop).
   *
   * @param allA A of all rows
   */
  void load(CoupledRows of, float[] allA, int first, int end, int begin, int stop) {
    this.of = of;
    this.first = first;
    this.end = end;
    this.begin = begin;
    this.stop = stop;
    Arrays.fill(a, 0);
    Arrays.fill(diagonal, 0);
    Arrays.fill(scales, 1);
    Arrays.fill(largest, 0);
    int n = end - first;
    for (int row = 0; row < n; row++) {
      System.arraycopy(allA, (first + row) * of.rows + first, a, row * ROWS, n);
      diagonal[row] = a[row * ROWS + row];
      largest[row] = of.largest[first + row];
      int at = (first + row) * of.in + begin;
      for (int i = 0; i < stop - begin; i++) {
        codes[i * ROWS + row] = of.codes[at + i] & 0xFF;
      }
    }
    for (int i = 0; n < ROWS && i < stop - begin; i++) {
      Arrays.fill(codes, i * ROWS + n, (i + 1) * ROWS, 0);
      Arrays.fill(slopes, i * ROWS + n, (i + 1) * ROWS, 0);
    }
  }

  /**
   * Gives the codes of all columns in turn their best values, those of a column row after row.
   *
   * @param changes receives ŵ before less ŵ after, a column in {@code stride} elements, the first
   *     at {@code at}
   * @return codes that have changed
   */
  int descend(float[] h, float[] changes, int at, int stride) {
    int moves = 0;
    for (int j = begin; j < stop; j++) {
      scales(j);
      int place = (j - begin) * ROWS;
      float curvature = h[j * of.in + j];
      int moved =
          CoupledLoops.chosen()
              .descendRows(
                  slopes,
                  place,
                  ROWS,
                  a,
                  diagonal,
                  scales,
                  largest,
                  curvature,
                  codes,
                  changes,
                  at + (j - begin) * stride,
                  u);
      if (moved > 0 && j + 1 < stop) {
        QuantizationLoops.chosen()
            .addOuter(u, 0, ROWS, h, j * of.in + j + 1, stop - j - 1, slopes, place + ROWS);
      }
      moves += moved;
    }
    return moves;
  }

  /** The scales of a column, where a group begins in any row. */
  private void scales(int column) {
    for (int row = first; row < end; row++) {
      if (column == begin || column % of.length[row] == 0) {
        scales[row - first] = of.scale(row, column);
      }
    }
  }

  /** Puts the codes back. */
  void store() {
    for (int row = first; row < end; row++) {
      int at = row * of.in + begin;
      for (int i = 0; i < stop - begin; i++) {
        of.codes[at + i] = (byte) (int) codes[i * ROWS + row - first];
      }
    }
  }
}
