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
    computeShared(
        Product.of(
            null, opA, opB, m, n, k, alpha, a, aOffset, lda, b, bOffset, ldb, beta, c, cOffset,
            ldc),
        workers);
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
    computeShared(
        Product.of(
            triangle, opA, opB, n, n, k, alpha, a, aOffset, lda, b, bOffset, ldb, beta, c, cOffset,
            ldc),
        workers);
  }

  private void computeShared(Product product, Workers workers) {
    long work = (long) product.m() * product.n() * product.k();
    compute(product, work < WORTH_SHARING ? Workers.single() : workers);
  }
}
