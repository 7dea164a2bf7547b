package io.shardpress.kernels.linalg;

import io.shardpress.kernels.matmul.Matmul.Op;

/**
 * Solves with a lower triangular L and many right-hand sides, which are the rows of B[rows×n]. The
 * recursion halves L, so that nearly all of the work is a few large products:
 *
 * <pre>
 * X·Lᵀ = B:  X₁·L₁₁ᵀ = B₁,  X₂·L₂₂ᵀ = B₂ − X₁·L₂₁ᵀ
 * X·L  = B:  X₂·L₂₂  = B₂,  X₁·L₁₁  = B₁ − X₂·L₂₁
 * </pre>
 */
final class TriangularSolve {
  private final Square l;
  private final float[] b;
  private final int stride;
  private final DiagonalBlock diagonal = new DiagonalBlock();
  private final float[] inverse = new float[DiagonalBlock.SIZE * DiagonalBlock.SIZE];
  private final float[] copy;

  /**
   * @param stride elements between rows of B
   * @param mostRows the most right-hand sides of a solve
   */
  TriangularSolve(Square l, float[] b, int stride, int mostRows) {
    this.l = l;
    this.b = b;
    this.stride = stride;
    copy = new float[Math.multiplyExact(mostRows, DiagonalBlock.SIZE)];
  }

  /**
   * Solves X·op(L') = B' in place, where L' is the diagonal block of L at {@code start} and B' has
   * {@code rows} rows and as many columns as L'.
   *
   * @param op whether L' stands as it is or transposed
   * @param corner the index of B'[0,0]
   */
  void solve(Op op, int start, int size, int corner, int rows) {
    if (size <= DiagonalBlock.SIZE) {
      solveDiagonal(op, start, size, corner, rows);
      return;
    }
    int head = Halves.first(size);
    int tail = size - head;
    if (op == Op.TRANSPOSED) {
      solve(op, start, head, corner, rows);
      subtract(op, corner, head, corner + head, tail, start + head, start, rows);
      solve(op, start + head, tail, corner + head, rows);
    } else {
      solve(op, start + head, tail, corner + head, rows);
      subtract(op, corner + head, tail, corner, head, start + head, start, rows);
      solve(op, start, head, corner, rows);
    }
  }

  /** B[to] ← B[to] − X[from]·op(L[row.., column..]). */
  private void subtract(
      Op op, int from, int inner, int to, int columns, int row, int column, int rows) {
    l.matmul()
        .multiply(
            Op.AS_IS,
            op,
            rows,
            columns,
            inner,
            -1,
            b,
            from,
            stride,
            l.data(),
            l.at(row, column),
            l.n(),
            1,
            b,
            to,
            stride,
            l.workers());
  }

  // One small inverse, then a product: it runs at the speed of a product, where substitution would
  // go row by row.
  private void solveDiagonal(Op op, int start, int size, int corner, int rows) {
    diagonal.invert(l, start, size, inverse, 0, DiagonalBlock.SIZE);
    for (int i = 0; i < rows; i++) {
      System.arraycopy(b, corner + i * stride, copy, i * size, size);
    }
    l.matmul()
        .multiply(
            Op.AS_IS,
            op,
            rows,
            size,
            size,
            1,
            copy,
            0,
            size,
            inverse,
            0,
            DiagonalBlock.SIZE,
            0,
            b,
            corner,
            stride,
            l.workers());
  }
}
