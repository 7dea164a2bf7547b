package io.shardpress.kernels.bench;

import io.shardpress.kernels.linalg.Cholesky;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;

/** The factor that GPTQ needs, of H⁻¹: 2/3·n³ operations, and the plain factor: 1/3·n³. */
final class CholeskyBench implements Benchmark {
  @Override
  public void run(Setting setting, JsonLine line) {
    int n = setting.sizeOr(4096);
    int rows = n / 2;
    float[] h = new float[n * n];
    float[] work = new float[n * n];
    Matmul matmul = Matmuls.chosen();
    try (Workers all = Workers.of(setting.threads())) {
      SymmetricRank.accumulate(matmul, RandomArrays.uniform(rows * n, 1), 0, rows, n, h, all);
      Cholesky.damp(h, n, 0.01);
      Turns turns =
          new Turns()
              .add("copy", () -> System.arraycopy(h, 0, work, 0, n * n))
              .add(
                  "lower",
                  () -> {
                    System.arraycopy(h, 0, work, 0, n * n);
                    Cholesky.lower(matmul, work, n, all);
                  })
              .add(
                  "inverse",
                  () -> {
                    System.arraycopy(h, 0, work, 0, n * n);
                    Cholesky.inverseUpper(matmul, work, n, all);
                  })
              .run(setting.seconds());
      double lower = turns.seconds("lower") - turns.seconds("copy");
      double inverse = turns.seconds("inverse") - turns.seconds("copy");
      double cube = (double) n * n * n;
      line.put("size", n)
          .put("lower_seconds", lower)
          .put("lower_gflops", cube / 3 / lower / 1e9)
          .put("lower_cpu_seconds", turns.cpuSeconds("lower"))
          .put("inverse_upper_cpu_seconds", turns.cpuSeconds("inverse"))
          .put("inverse_upper_seconds", inverse)
          .put("inverse_upper_gflops", 2 * cube / 3 / inverse / 1e9);
    }
  }
}
