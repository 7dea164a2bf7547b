package io.shardpress.spark.engine;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;

/** A backend whose products a task's meter hears of, before each: they are most of its work. */
record MeteredMatmul(Matmul backend, TaskMeter meter) implements Matmul {
  @Override
  public String name() {
    return backend.name();
  }

  @Override
  public void multiply(
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
    meter.product(2L * m * n * k);
    backend.multiply(
        opA, opB, m, n, k, alpha, a, aOffset, lda, b, bOffset, ldb, beta, c, cOffset, ldc, workers);
  }

  @Override
  public void multiplyTriangle(
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
    // The entries on one side of the diagonal, and those on it.
    meter.product((n + 1L) * n * k);
    backend.multiplyTriangle(
        triangle, opA, opB, n, k, alpha, a, aOffset, lda, b, bOffset, ldb, beta, c, cOffset, ldc,
        workers);
  }
}
