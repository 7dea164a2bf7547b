package io.shardpress.kernels.linalg;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.Matmul.Triangle;
import io.shardpress.kernels.parallel.Workers;

/** Second moments of activations: the upper triangle is computed, the lower one copied from it. */
public final class SymmetricRank {
  private SymmetricRank() {}

  /**
   * H[n×n] ← H + XᵀX in f32, summed in an order that follows from the sizes alone.
   *
   * @param x row-major [rows×n], a row a token
   * @param xOffset where its first row starts
   * @param h row-major, symmetric before and bitwise symmetric after
   * @throws IllegalArgumentException where a matrix does not fit in its array
   */
  public static void accumulate(
      Matmul matmul, float[] x, int xOffset, int rows, int n, float[] h, Workers workers) {
    matmul.multiplyTriangle(
        Triangle.UPPER,
        Op.TRANSPOSED,
        Op.AS_IS,
        n,
        rows,
        1,
        x,
        xOffset,
        n,
        x,
        xOffset,
        n,
        1,
        h,
        0,
        n,
        workers);
    Mirror.upperToLower(h, n, workers);
  }
}
