package io.shardpress.kernels.linalg;

import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.Matmul.Triangle;

/**
 * The lower Cholesky factor A = L·Lᵀ in place, by halves:
 *
 * <pre>
 * A₁₁ = L₁₁·L₁₁ᵀ,  L₂₁·L₁₁ᵀ = A₂₁,  A₂₂ − L₂₁·L₂₁ᵀ = L₂₂·L₂₂ᵀ
 * </pre>
 */
final class LowerFactor {
  private final Square a;
  private final DiagonalBlock diagonal = new DiagonalBlock();
  private final TriangularSolve solve;

  private LowerFactor(Square a) {
    this.a = a;
    solve = new TriangularSolve(a, a.data(), a.n(), a.n());
  }

  /** Reads the lower triangle of A and leaves L in it; above the diagonal nothing is defined. */
  static void of(Square a) {
    new LowerFactor(a).factor(0, a.n());
  }

  private void factor(int start, int size) {
    if (size <= DiagonalBlock.SIZE) {
      diagonal.factor(a, start, size);
      return;
    }
    int head = Halves.first(size);
    int tail = size - head;
    int middle = start + head;
    factor(start, head);
    solve.solve(Op.TRANSPOSED, start, head, a.at(middle, start), tail);
    a.matmul()
        .multiplyTriangle(
            Triangle.LOWER,
            Op.AS_IS,
            Op.TRANSPOSED,
            tail,
            head,
            -1,
            a.data(),
            a.at(middle, start),
            a.n(),
            a.data(),
            a.at(middle, start),
            a.n(),
            1,
            a.data(),
            a.at(middle, middle),
            a.n(),
            a.workers());
    factor(middle, tail);
  }
}
