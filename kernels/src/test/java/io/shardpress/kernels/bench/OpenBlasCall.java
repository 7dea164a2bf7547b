package io.shardpress.kernels.bench;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

import org.bytedeco.javacpp.FloatPointer;

/** OpenBLAS as a C program would call it: no tiles, no copies. */
final class OpenBlasCall {
  private OpenBlasCall() {}

  static Runnable of(int n, float[] a, float[] b) {
    FloatPointer left = new FloatPointer(a);
    FloatPointer right = new FloatPointer(b);
    FloatPointer result = new FloatPointer((long) n * n);
    return () ->
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, left, n, right, n, 0, result, n);
  }
}
