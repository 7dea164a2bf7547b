package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;

/**
 * Root mean square norm (arXiv 1910.07467), y = w ∘ x / √(mean(x²) + ε), over rows of {@code width}
 * elements. Rows lie densely one after the other, so heads can be normed as rows of their own.
 */
public final class RmsNorm {
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
