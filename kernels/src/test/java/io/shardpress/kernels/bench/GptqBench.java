package io.shardpress.kernels.bench;

import io.shardpress.kernels.learn.Gptq;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * GPTQ of an n×n weight, 4 bits in groups of 128, from H to the codes: damping, Cholesky, inverse,
 * columns. With steps from the whole range, and with the search of ranges that learners use.
 */
final class GptqBench implements Benchmark {
  @Override
  public void run(Setting setting, JsonLine line) {
    int n = setting.sizeOr(4096);
    Matmul matmul = Matmuls.chosen();
    float[] w = RandomArrays.uniform(n * n, 1);
    float[] h = new float[n * n];
    float[] work = new float[n * n];
    try (Workers all = Workers.of(setting.threads())) {
      float[] x = RandomArrays.uniform(2 * n * n, 2);
      SymmetricRank.accumulate(matmul, x, 0, 2 * n, n, h, all);
      Turns turns =
          new Turns()
              .add("factors", () -> factors(matmul, h, work, n, all))
              .add("gptq", () -> gptq(matmul, w, h, work, n, new MinMax(), all))
              .add(
                  "gptq_search",
                  () -> gptq(matmul, w, h, work, n, new RangeSearch(80, 0.4, 1, 2), all))
              .run(setting.seconds());
      line.put("size", n)
          .put("seconds", turns.seconds("gptq"))
          .put("cpu_seconds", turns.cpuSeconds("gptq"))
          .put("factor_seconds", turns.seconds("factors"))
          .put("seconds_with_search", turns.seconds("gptq_search"));
    }
  }

  private static StageFactors factors(
      Matmul matmul, float[] h, float[] work, int n, Workers workers) {
    System.arraycopy(h, 0, work, 0, work.length);
    return StageFactors.of(n, work, null, 0.01, 0, matmul, workers);
  }

  private static void gptq(
      Matmul matmul, float[] w, float[] h, float[] work, int n, StepRule rule, Workers workers) {
    StageFactors factors = factors(matmul, h, work, n, workers);
    Gptq gptq = new Gptq(new WeightScheme(4, true, 128), ScaleFormat.BF16, rule, matmul);
    gptq.quantize(w.clone(), n, n, factors.inverseUpper(), factors.importance(), workers);
  }
}
