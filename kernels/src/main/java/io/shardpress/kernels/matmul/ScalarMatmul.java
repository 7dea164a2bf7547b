package io.shardpress.kernels.matmul;

import io.shardpress.kernels.parallel.Workers;

/** The definition, written out: the oracle that the other implementations are held against. */
public final class ScalarMatmul implements Matmul {
  @Override
  public String name() {
    return "scalar";
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
    int aRow = opA == Op.AS_IS ? lda : 1;
    int aColumn = opA == Op.AS_IS ? 1 : lda;
    int bRow = opB == Op.AS_IS ? ldb : 1;
    int bColumn = opB == Op.AS_IS ? 1 : ldb;
    workers.forEach(
        m,
        i -> {
          for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int l = 0; l < k; l++) {
              sum +=
                  (double) a[aOffset + i * aRow + l * aColumn]
                      * b[bOffset + l * bRow + j * bColumn];
            }
            int at = cOffset + i * ldc + j;
            c[at] = (float) (alpha * sum + (beta == 0 ? 0 : (double) beta * c[at]));
          }
        });
  }
}
