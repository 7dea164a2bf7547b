package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;

/**
 * Root mean square norm (arXiv 1910.07467), y = w ∘ x / √(mean(x²) + ε), over rows of {@code width}
 * elements. Rows lie densely one after the other, so heads can be normed as rows of their own.
 */
public final class RmsNorm {
  // Columns whose sums over all rows are one thread's.
  private static final int COLUMN_TILE = 64;

  private RmsNorm() {}

  /** y [rows×width] from x [rows×width] and w [width]; y may be x. */
  public static void forward(
      int rows, int width, float[] x, float[] w, double epsilon, float[] y, Workers workers) {
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int at = row * width;
          float inverse =
              (float)
                  (1
                      / Math.sqrt(
                          (double) Loops.chosen().dot(x, at, x, at, width) / width + epsilon));
          Loops.chosen().scaledProduct(w, inverse, x, at, y, at, width);
        });
  }

  /**
   * Adds ∂loss/∂x to {@code dx}: with g = w ∘ dy and s = 1/√(mean(x²) + ε), dx += s·g − x·s³/n·Σ
   * g∘x.
   */
  static void backward(
      int rows,
      int width,
      float[] x,
      float[] w,
      double epsilon,
      float[] dy,
      float[] dx,
      Workers workers) {
    backward(rows, width, x, w, epsilon, dy, dx, 1, workers);
  }

  /** As {@link #backward}, but ∂loss/∂x takes the place of {@code dy} [rows×width]. */
  static void backwardInPlace(
      int rows, int width, float[] x, float[] w, double epsilon, float[] dy, Workers workers) {
    backward(rows, width, x, w, epsilon, dy, dy, 0, workers);
  }

  /**
   * ∂loss/∂w [width] = Σ over rows of dy ∘ x/√(mean(x²) + ε), rows in order in f64.
   *
   * @param x [rows×width], what was normed
   * @param dy [rows×width]
   */
  static double[] weightGradient(
      int rows, int width, float[] x, double epsilon, float[] dy, Workers workers) {
    double[] inverse = new double[rows];
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int at = row * width;
          double squares = Loops.chosen().dot(x, at, x, at, width);
          inverse[row] = 1 / Math.sqrt(squares / width + epsilon);
        });
    double[] gradient = new double[width];
    workers.forEach(
        (width + COLUMN_TILE - 1) / COLUMN_TILE,
        tile -> {
          int end = Math.min(width, (tile + 1) * COLUMN_TILE);
          for (int row = 0; row < rows; row++) {
            for (int j = tile * COLUMN_TILE; j < end; j++) {
              int at = row * width + j;
              gradient[j] += inverse[row] * x[at] * dy[at];
            }
          }
        });
    return gradient;
  }

  private static void backward(
      int rows,
      int width,
      float[] x,
      float[] w,
      double epsilon,
      float[] dy,
      float[] dx,
      float kept,
      Workers workers) {
    RowTiles.forEach(
        rows,
        workers,
        row -> {
          int at = row * width;
          double inverse =
              1 / Math.sqrt((double) Loops.chosen().dot(x, at, x, at, width) / width + epsilon);
          double projection = 0;
          for (int j = 0; j < width; j++) {
            projection += (double) w[j] * dy[at + j] * x[at + j];
          }
          float scale = (float) inverse;
          float pull = (float) (inverse * inverse * inverse * projection / width);
          for (int j = 0; j < width; j++) {
            dx[at + j] = kept * dx[at + j] + (scale * w[j] * dy[at + j] - pull * x[at + j]);
          }
        });
  }
}
