package io.shardpress.kernels.bench;

import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;

/** H += XᵀX of 2n×n; GFLOP/s count the whole product, half of which the symmetry saves. */
final class SymmetricRankBench implements Benchmark {
  @Override
  public void run(Setting setting, JsonLine line) {
    int n = setting.sizeOr(4096);
    int rows = 2 * n;
    float[] x = RandomArrays.uniform(rows * n, 1);
    float[] h = new float[n * n];
    Matmul matmul = Matmuls.chosen();
    try (Workers one = Workers.single();
        Workers all = Workers.of(setting.threads())) {
      Turns turns =
          new Turns()
              .add("one", () -> SymmetricRank.accumulate(matmul, x, 0, rows, n, h, one))
              .add("all", () -> SymmetricRank.accumulate(matmul, x, 0, rows, n, h, all))
              .run(setting.seconds());
      double flops = 2.0 * rows * n * n;
      line.put("rows", rows)
          .put("size", n)
          .put("seconds", turns.seconds("all"))
          .put("cpu_seconds", turns.cpuSeconds("all"))
          .put("gflops", flops / turns.seconds("all") / 1e9)
          .put("ratio_to_one_thread", turns.seconds("one") / turns.seconds("all"));
    }
  }
}
