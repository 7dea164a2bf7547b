package io.shardpress.kernels.bench;

import io.shardpress.kernels.learn.CoordinateDescent;
import io.shardpress.kernels.learn.CoupledDescent;
import io.shardpress.kernels.learn.Gptq;
import io.shardpress.kernels.learn.RowFactors;
import io.shardpress.kernels.learn.RowTiling;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.List;

/**
 * The solve of an n×n weight, 3 bits asymmetric per channel: factors, GPTQ with searched ranges and
 * descent row by row, and the same with coupled descent behind it. Tells what coupling costs, and
 * what it leaves of the objective.
 */
final class CoupledBench implements Benchmark {
  private static final ScaleFormat FORMAT = ScaleFormat.BF16;

  private final int group;

  /**
   * @param group weights that share a scale, 0 for a row
   */
  CoupledBench(int group) {
    this.group = group;
  }

  @Override
  public void run(Setting setting, JsonLine line) {
    int n = setting.sizeOr(1024);
    Matmul matmul = Matmuls.chosen();
    float[] w = RandomArrays.uniform(n * n, 1);
    float[] h = new float[n * n];
    int tokens = 8 * n;
    float[] x = correlated(tokens, n, 2);
    float[] g = correlated(tokens, n, 3);
    RowFactors factors = new RowFactors(RowTiling.whole(n), matmul);
    try (Workers all = Workers.of(setting.threads())) {
      SymmetricRank.accumulate(matmul, x, 0, tokens, n, h, all);
      factors.add(tokens, n, x, g, all);
      float[] a = factors.normalised(0, RowFactors.DAMPING);
      Solve solve = new Solve(n, w, h, a, matmul, all);
      Gptq.Result start = solve.gptq();
      CoupledDescent.Result end = solve.coupled(start);
      Turns turns =
          new Turns()
              .add("gptq", solve::gptq)
              .add("coupled", () -> solve.coupled(start))
              .run(setting.seconds());
      double gptq = turns.cpuSeconds("gptq");
      double coupled = turns.cpuSeconds("coupled");
      line.put("size", n)
          .put("gptq_cpu_seconds", gptq)
          .put("coupled_cpu_seconds", coupled)
          .put("with_coupled_over_gptq", (gptq + coupled) / gptq)
          .put("objective_left", end.after() / end.before());
    }
  }

  /** Rows whose columns share a quarter as many signals. */
  private static float[] correlated(int rows, int n, int seed) {
    int signals = n / 4;
    float[] shared = RandomArrays.uniform(rows * signals, seed);
    float[] mix = RandomArrays.uniform(signals * n, seed + 10);
    float[] x = RandomArrays.uniform(rows * n, seed + 20);
    Matmuls.chosen()
        .multiply(
            Matmul.Op.AS_IS,
            Matmul.Op.AS_IS,
            rows,
            n,
            signals,
            (float) (1 / Math.sqrt(signals)),
            shared,
            0,
            signals,
            mix,
            0,
            n,
            0.5f,
            x,
            0,
            n,
            Workers.single());
    return x;
  }

  /** A weight with its matrices. */
  private final class Solve {
    private final int n;
    private final float[] w;
    private final float[] h;
    private final float[] a;
    private final Matmul matmul;
    private final Workers workers;

    Solve(int n, float[] w, float[] h, float[] a, Matmul matmul, Workers workers) {
      this.n = n;
      this.w = w;
      this.h = h;
      this.a = a;
      this.matmul = matmul;
      this.workers = workers;
    }

    Gptq.Result gptq() {
      StageFactors factors = StageFactors.of(n, h.clone(), null, 0.01, 0, matmul, workers);
      WeightScheme scheme = new WeightScheme(3, false, group);
      Gptq.Result result =
          new Gptq(scheme, FORMAT, new RangeSearch(80, 0.4, 1, 2), matmul)
              .quantize(w.clone(), n, n, factors.inverseUpper(), factors.importance(), workers);
      return new CoordinateDescent(FORMAT, 2, 2, matmul).improve(result, w, damped(), workers);
    }

    CoupledDescent.Result coupled(Gptq.Result start) {
      return new CoupledDescent(FORMAT, matmul)
          .improve(List.of(start.linear()), List.of(w), a, damped(), workers);
    }

    private float[] damped() {
      float[] damped = h.clone();
      io.shardpress.kernels.linalg.Cholesky.damp(damped, n, 0.01);
      return damped;
    }
  }
}
