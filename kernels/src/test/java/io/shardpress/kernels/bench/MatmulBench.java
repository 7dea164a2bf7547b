package io.shardpress.kernels.bench;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;

/**
 * A square f32 product on one thread and on all, through each backend that loads, and as one call
 * of OpenBLAS on matrices that already lie off the heap.
 */
final class MatmulBench implements Benchmark {
  private static final String[] BACKENDS = {"vector", "openblas"};

  @Override
  public void run(Setting setting, JsonLine line) {
    int n = setting.sizeOr(1920);
    float[] a = RandomArrays.uniform(n * n, 1);
    float[] b = RandomArrays.uniform(n * n, 2);
    float[] c = new float[n * n];
    try (Workers one = Workers.single();
        Workers all = Workers.of(setting.threads())) {
      Turns turns = new Turns();
      for (String backend : BACKENDS) {
        Matmul matmul;
        try {
          matmul = Matmuls.named(backend);
        } catch (UnsupportedOperationException e) {
          line.put(backend, e.getMessage());
          continue;
        }
        line.put(backend, matmul.name());
        turns.add(backend + "_1", () -> multiply(matmul, n, a, b, c, one));
        turns.add(backend, () -> multiply(matmul, n, a, b, c, all));
      }
      if (turns.has("openblas")) {
        turns.add("raw", OpenBlasCall.of(n, a, b));
      }
      turns.run(setting.seconds());
      line.put("size", n);
      double flops = 2.0 * n * n * n;
      for (String backend : BACKENDS) {
        if (turns.has(backend)) {
          line.put(backend + "_gflops_1", flops / turns.seconds(backend + "_1") / 1e9)
              .put(backend + "_gflops", flops / turns.seconds(backend) / 1e9)
              .put(backend + "_speedup", turns.seconds(backend + "_1") / turns.seconds(backend));
        }
      }
      if (turns.has("vector") && turns.has("openblas")) {
        line.put("java_to_openblas_1", turns.seconds("openblas_1") / turns.seconds("vector_1"))
            .put("openblas_off_heap_gflops_1", flops / turns.seconds("raw") / 1e9)
            .put("java_to_openblas_off_heap_1", turns.seconds("raw") / turns.seconds("vector_1"))
            .put("java_to_openblas", turns.seconds("openblas") / turns.seconds("vector"));
      }
    }
  }

  private static void multiply(Matmul matmul, int n, float[] a, float[] b, float[] c, Workers w) {
    matmul.multiply(Op.AS_IS, Op.AS_IS, n, n, n, 1, a, 0, n, b, 0, n, 0, c, 0, n, w);
  }
}
