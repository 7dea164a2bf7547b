package io.shardpress.kernels.parallel;

import java.util.function.IntConsumer;

/** Runs a body for every row, in tiles large enough that handing one out costs nothing. */
public final class RowTiles {
  /** Rows of a tile. */
  private static final int ROWS = 32;

  private RowTiles() {}

  /** Runs {@code body} for every row in [0, rows); rows must not depend on one another. */
  public static void forEach(int rows, Workers workers, IntConsumer body) {
    workers.forEach(
        (rows + ROWS - 1) / ROWS,
        tile -> {
          int end = Math.min(rows, (tile + 1) * ROWS);
          for (int row = tile * ROWS; row < end; row++) {
            body.accept(row);
          }
        });
  }
}
