package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;

/**
 * Rotary position embedding (arXiv 2104.09864) as Hugging Face lays it out: element i of a head is
 * rotated with element i + D/2 by the angle position · inverseFrequency[i].
 */
final class Rope {
  private final int half;
  private final int positions;
  private final float[] cos;
  private final float[] sin;

  /**
   * @param inverseFrequencies [D/2] radians per position
   * @param positions positions of a window, from 0
   */
  Rope(double[] inverseFrequencies, int positions) {
    this.half = inverseFrequencies.length;
    this.positions = positions;
    this.cos = new float[positions * half];
    this.sin = new float[positions * half];
    for (int p = 0; p < positions; p++) {
      for (int i = 0; i < half; i++) {
        double angle = p * inverseFrequencies[i];
        // StrictMath: the same bits on every JDK and processor.
        cos[p * half + i] = (float) StrictMath.cos(angle);
        sin[p * half + i] = (float) StrictMath.sin(angle);
      }
    }
  }

  int positions() {
    return positions;
  }

  /** Rotates x [rows × heads·D] in place; row r stands at position r mod {@code window}. */
  void forward(int rows, int window, int heads, float[] x, Workers workers) {
    rotate(rows, window, heads, x, 1, workers);
  }

  /** The inverse rotation, which is the gradient's: dx from dy in place. */
  void backward(int rows, int window, int heads, float[] dy, Workers workers) {
    rotate(rows, window, heads, dy, -1, workers);
  }

  private void rotate(int rows, int window, int heads, float[] x, int sign, Workers workers) {
    int width = heads * 2 * half;
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int angles = row % window * half;
          for (int head = 0; head < heads; head++) {
            int at = row * width + head * 2 * half;
            Loops.chosen().rotate(x, at, cos, sin, angles, half, sign);
          }
        });
  }
}
