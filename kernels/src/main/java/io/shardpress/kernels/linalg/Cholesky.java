package io.shardpress.kernels.linalg;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;

/**
 * Cholesky factors of symmetric positive definite matrices, in f32 with f64 on the diagonal blocks.
 * Nearly all of the work is products, so that it runs on all threads at the speed of whichever
 * matmul is given, and gives the same bits for any number of threads.
 *
 * <p>Why f32: on second moments of 2048 correlated columns, damped by 0.01 to 0.0001, the factor of
 * the inverse is within 1e-5 to 3e-4 of one in f64 (Frobenius norm, relative), somewhat closer than
 * LAPACK's f32 route by potrf, potri and potrf, and it takes half the memory of f64.
 */
public final class Cholesky {
  private Cholesky() {}

  /**
   * H ← H + fraction·mean(diag H)·I, as GPTQ damps it.
   *
   * @return what was added to each entry of the diagonal
   */
  public static float damp(float[] h, int n, double fraction) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += h[i * n + i];
    }
    float added = (float) (fraction * sum / Math.max(n, 1));
    for (int i = 0; i < n; i++) {
      h[i * n + i] += added;
    }
    return added;
  }

  /**
   * Replaces A[n×n], of which the lower triangle is read, by L with A = L·Lᵀ and zeros above.
   *
   * @throws NotPositiveDefiniteException where a pivot is not above zero
   */
  public static void lower(Matmul matmul, float[] a, int n, Workers workers) {
    LowerFactor.of(new Square(matmul, a, n, workers));
    Mirror.clearUpper(a, n);
  }

  /**
   * Replaces H[n×n] by the upper U with H⁻¹ = Uᵀ·U and zeros below: the factor that GPTQ reads
   * errors' weights from (arXiv 2210.17323, section 3.3). H⁻¹ itself is never formed: with J the
   * reversal of order, J·H·J = M·Mᵀ gives H = R·Rᵀ for the upper R = J·M·J, and U = R⁻¹ = J·M⁻¹·J.
   *
   * @throws NotPositiveDefiniteException where a pivot is not above zero, numbered as in H
   */
  public static void inverseUpper(Matmul matmul, float[] h, int n, Workers workers) {
    Square square = new Square(matmul, h, n, workers);
    Mirror.reverse(h, n);
    try {
      LowerFactor.of(square);
    } catch (NotPositiveDefiniteException e) {
      throw new NotPositiveDefiniteException(n - 1 - e.pivot(), e.value(), n);
    }
    Mirror.clearUpper(h, n);
    LowerInverse.of(square);
    Mirror.reverse(h, n);
  }

  /**
   * Solves X·A = B in place for A = L·Lᵀ; as A is symmetric, each row of B[rows×n] is a right-hand
   * side of A·x = b.
   *
   * @param l as {@link #lower} left it
   */
  public static void solveRows(
      Matmul matmul, float[] l, int n, float[] b, int rows, Workers workers) {
    if ((long) rows * n > b.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "B is %d×%d and needs %d elements, its array has %d",
              rows,
              n,
              (long) rows * n,
              b.length));
    }
    TriangularSolve solve = new TriangularSolve(new Square(matmul, l, n, workers), b, n, rows);
    solve.solve(Op.TRANSPOSED, 0, n, 0, rows);
    solve.solve(Op.AS_IS, 0, n, 0, rows);
  }
}
