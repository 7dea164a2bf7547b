package io.shardpress.kernels.matmul;

import io.shardpress.kernels.parallel.Workers;

/**
 * The product of two row-major f32 matrices, C ← alpha·op(A)·op(B) + beta·C. Every implementation
 * gives the same bits for any number of threads: rows of C are split into tiles of a fixed size,
 * and one tile is one call of the kernel.
 */
public interface Matmul {
  /** Whether a factor is read as it lies or transposed. */
  enum Op {
    AS_IS,
    TRANSPOSED
  }

  /** The part of a square C that the caller will read. */
  enum Triangle {
    /** Entries on and above the diagonal. */
    UPPER,
    /** Entries on and below the diagonal. */
    LOWER
  }

  /** The backend's name as it stands in reports and part names: scalar, vector-512, openblas-…. */
  String name();

  /**
   * C[m×n] ← alpha·op(A)[m×k]·op(B)[k×n] + beta·C. With beta = 0, C is not read (it may hold NaN).
   *
   * @param lda elements between rows of A as it lies: at least k as is, at least m transposed
   * @param ldb elements between rows of B as it lies: at least n as is, at least k transposed
   * @throws IllegalArgumentException where a matrix does not fit in its array
   */
  void multiply(
      Op opA,
      Op opB,
      int m,
      int n,
      int k,
      float alpha,
      float[] a,
      int aOffset,
      int lda,
      float[] b,
      int bOffset,
      int ldb,
      float beta,
      float[] c,
      int cOffset,
      int ldc,
      Workers workers);

  /**
   * As {@code multiply} with m = n, but only the entries of C on one side of the diagonal are sure
   * to be computed: about half of the work. Of the others any may be written.
   */
  void multiplyTriangle(
      Triangle triangle,
      Op opA,
      Op opB,
      int n,
      int k,
      float alpha,
      float[] a,
      int aOffset,
      int lda,
      float[] b,
      int bOffset,
      int ldb,
      float beta,
      float[] c,
      int cOffset,
      int ldc,
      Workers workers);
}
