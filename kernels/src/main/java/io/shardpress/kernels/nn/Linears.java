package io.shardpress.kernels.nn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;

/** The products of a linear y = x·Wᵀ + b, W [out×in], and of its gradients, over dense rows. */
final class Linears {
  private final Matmul matmul;

  Linears(Matmul matmul) {
    this.matmul = matmul;
  }

  /** y [rows×out] from x [rows×in]; bias [out] may be null. */
  void forward(
      int rows, int in, int out, float[] x, float[] w, float[] bias, float[] y, Workers workers) {
    if (bias != null) {
      for (int row = 0; row < rows; row++) {
        System.arraycopy(bias, 0, y, row * out, out);
      }
    }
    float kept = bias == null ? 0 : 1;
    matmul.multiply(
        Op.AS_IS, Op.TRANSPOSED, rows, out, in, 1, x, 0, in, w, 0, in, kept, y, 0, out, workers);
  }

  /**
   * dx [rows×in] from dy [rows×out].
   *
   * @param kept what stays of dx: 0 to overwrite it, 1 to add to it
   */
  void inputGradient(
      int rows, int in, int out, float[] dy, float[] w, float kept, float[] dx, Workers workers) {
    matmul.multiply(
        Op.AS_IS, Op.AS_IS, rows, in, out, 1, dy, 0, out, w, 0, in, kept, dx, 0, in, workers);
  }

  /** dw [out×in] from x [rows×in] and dy [rows×out]; kept as for the input's. */
  void weightGradient(
      int rows, int in, int out, float[] x, float[] dy, float kept, float[] dw, Workers workers) {
    matmul.multiply(
        Op.TRANSPOSED, Op.AS_IS, out, in, rows, 1, dy, 0, out, x, 0, in, kept, dw, 0, in, workers);
  }
}
