package io.shardpress.kernels.matmul;

import io.shardpress.kernels.parallel.Workers;

/** What all implementations share: one product record, checked, for both entry points. */
abstract class TiledMatmul implements Matmul {
  /** Products of less, about 30 µs of work, are done before another thread is awake. */
  private static final long WORTH_SHARING = 1 << 21;

  /** Computes a checked product. */
  abstract void compute(Product product, Workers workers);

  @Override
  public final void multiply(
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
      Workers workers) {
    Matrix left = left(opA, m, k, a, aOffset, lda);
    Matrix right = right(opB, k, n, b, bOffset, ldb);
    Matrix result = new Matrix("C", c, cOffset, m, n, ldc);
    computeShared(new Product(m, n, k, alpha, beta, opA, opB, left, right, result, null), workers);
  }

  @Override
  public final void multiplyTriangle(
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
      Workers workers) {
    Matrix left = left(opA, n, k, a, aOffset, lda);
    Matrix right = right(opB, k, n, b, bOffset, ldb);
    Matrix result = new Matrix("C", c, cOffset, n, n, ldc);
    computeShared(
        new Product(n, n, k, alpha, beta, opA, opB, left, right, result, triangle), workers);
  }

  private static Matrix left(Op op, int m, int k, float[] data, int offset, int stride) {
    return op == Op.AS_IS
        ? new Matrix("A", data, offset, m, k, stride)
        : new Matrix("A", data, offset, k, m, stride);
  }

  private static Matrix right(Op op, int k, int n, float[] data, int offset, int stride) {
    return op == Op.AS_IS
        ? new Matrix("B", data, offset, k, n, stride)
        : new Matrix("B", data, offset, n, k, stride);
  }

  private void computeShared(Product product, Workers workers) {
    long work = (long) product.m() * product.n() * product.k();
    compute(product, work < WORTH_SHARING ? Workers.single() : workers);
  }
}
