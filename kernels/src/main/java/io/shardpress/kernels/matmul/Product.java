package io.shardpress.kernels.matmul;

import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.Matmul.Triangle;

/**
 * What is to be computed: C ← alpha·op(A)[m×k]·op(B)[k×n] + beta·C.
 *
 * @param triangle the part of C that is wanted, or null for all of it
 */
record Product(
    int m,
    int n,
    int k,
    float alpha,
    float beta,
    Op opA,
    Op opB,
    Matrix a,
    Matrix b,
    Matrix c,
    Triangle triangle) {

  boolean leftTransposed() {
    return opA == Op.TRANSPOSED;
  }

  boolean rightTransposed() {
    return opB == Op.TRANSPOSED;
  }

  /** Whether op(B) is the transpose of op(A), so that C ← alpha·op(A)·op(A)ᵀ + beta·C. */
  boolean isSymmetric() {
    return opA != opB
        && m == n
        && a.data() == b.data()
        && a.offset() == b.offset()
        && a.stride() == b.stride();
  }

  /** The first row of C of which an entry is wanted in the columns from that one on. */
  int firstRow(int column) {
    return triangle == Triangle.LOWER ? Math.min(column, m) : 0;
  }

  /** The end of the rows of C of which an entry is wanted in the columns before that one. */
  int endRow(int columnEnd) {
    return triangle == Triangle.UPPER ? Math.min(columnEnd, m) : m;
  }
}
