package io.shardpress.kernels.linalg;

import io.shardpress.kernels.matmul.Matmul.Op;

/**
 * The inverse of a lower triangular matrix in place, by halves: (L⁻¹)₂₁ = −L₂₂⁻¹·L₂₁·L₁₁⁻¹, as two
 * triangular solves before the halves on the diagonal are inverted themselves.
 */
final class LowerInverse {
  private final Square l;
  private final DiagonalBlock diagonal = new DiagonalBlock();
  private final TriangularSolve solve;
  private final float[] scratch;

  private LowerInverse(Square l) {
    this.l = l;
    solve = new TriangularSolve(l, l.data(), l.n(), l.n());
    int half = Halves.first(l.n());
    scratch = new float[half * half];
  }

  static void of(Square l) {
    new LowerInverse(l).invert(0, l.n());
  }

  private void invert(int start, int size) {
    if (size <= DiagonalBlock.SIZE) {
      diagonal.invert(l, start, size, l.data(), l.at(start, start), l.n());
      return;
    }
    int head = Halves.first(size);
    int tail = size - head;
    int middle = start + head;
    int corner = l.at(middle, start);
    // L₂₁·L₁₁⁻¹ needs L₁₁ as it was, the product with L₂₂⁻¹ the finished inverse.
    solve.solve(Op.AS_IS, start, head, corner, tail);
    invert(start, head);
    invert(middle, tail);
    for (int i = 0; i < tail; i++) {
      System.arraycopy(l.data(), corner + i * l.n(), scratch, i * head, head);
    }
    l.matmul()
        .multiply(
            Op.AS_IS,
            Op.AS_IS,
            tail,
            head,
            tail,
            -1,
            l.data(),
            l.at(middle, middle),
            l.n(),
            scratch,
            0,
            head,
            0,
            l.data(),
            corner,
            l.n(),
            l.workers());
  }
}
