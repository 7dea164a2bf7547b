package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;

/**
 * Rotary position embedding (arXiv 2104.09864) as Hugging Face lays it out: element i of a head is
 * rotated with element i + D/2 by the angle position · inverseFrequency[i]; D may be less than the
 * head's width, whose other elements stay as they are.
 */
final class Rope {
  private final int headDim;
  private final int half;
  private final int positions;
  private final float[] cos;
  private final float[] sin;

  /**
   * @param headDim elements of a head, at least as many as are rotated
   * @param positions positions of a window, from 0
   */
  Rope(RotaryEmbedding rotation, int headDim, int positions) {
    double[] inverseFrequencies = rotation.frequencies(positions);
    this.headDim = headDim;
    this.half = inverseFrequencies.length;
    this.positions = positions;
    this.cos = new float[positions * half];
    this.sin = new float[positions * half];
    for (int p = 0; p < positions; p++) {
      for (int i = 0; i < half; i++) {
        double angle = p * inverseFrequencies[i];
        // StrictMath: the same bits on every JDK and processor.
        cos[p * half + i] = (float) (StrictMath.cos(angle) * rotation.magnitude());
        sin[p * half + i] = (float) (StrictMath.sin(angle) * rotation.magnitude());
      }
    }
  }

  int positions() {
    return positions;
  }

  /** Rotates x [rows × heads·headDim] in place; row r stands at position r mod {@code window}. */
  void forward(int rows, int window, int heads, float[] x, Workers workers) {
    rotate(rows, window, heads, x, 1, workers);
  }

  /** The gradient, which is the inverse rotation times the magnitude: dx from dy in place. */
  void backward(int rows, int window, int heads, float[] dy, Workers workers) {
    rotate(rows, window, heads, dy, -1, workers);
  }

  private void rotate(int rows, int window, int heads, float[] x, int sign, Workers workers) {
    int width = heads * headDim;
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int angles = row % window * half;
          for (int head = 0; head < heads; head++) {
            int at = row * width + head * headDim;
            Loops.chosen().rotate(x, at, cos, sin, angles, half, sign);
          }
        });
  }
}
