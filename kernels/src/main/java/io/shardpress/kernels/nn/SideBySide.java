package io.shardpress.kernels.nn;

import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;

/** Matrices of the same rows, side by side in one: what a fused linear gives. */
final class SideBySide {
  private SideBySide() {}

  /** Takes all [rows × Σ widths] apart. */
  static void split(int rows, float[] all, int[] widths, float[][] parts, Workers workers) {
    int width = total(widths);
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int at = row * width;
          for (int i = 0; i < parts.length; i++) {
            System.arraycopy(all, at, parts[i], row * widths[i], widths[i]);
            at += widths[i];
          }
        });
  }

  /** Puts parts together again into all [rows × Σ widths]. */
  static void join(int rows, float[][] parts, int[] widths, float[] all, Workers workers) {
    int width = total(widths);
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int at = row * width;
          for (int i = 0; i < parts.length; i++) {
            System.arraycopy(parts[i], row * widths[i], all, at, widths[i]);
            at += widths[i];
          }
        });
  }

  private static int total(int[] widths) {
    int total = 0;
    for (int width : widths) {
      total += width;
    }
    return total;
  }
}
