package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Linears of a stage as GPTQ leaves them, with what couples their rows. */
record CoupledStage(
    List<QuantizedLinear> starts, List<float[]> targets, float[] a, float[] h, ScaleFormat format) {
  static final Matmul MATMUL = Matmuls.chosen();

  /** Random linears of {@code outs} rows, with inputs and gradients that are correlated. */
  static CoupledStage random(
      Random random, int in, int[] outs, List<WeightScheme> schemes, ScaleFormat format) {
    int rows = java.util.Arrays.stream(outs).sum();
    float[] a = Dense.moments(rows, 3 * rows + 2, random);
    RowFactors.normalise(a, RowFactors.diagonalSum(a) / rows, RowFactors.DAMPING);
    float[] moments = Dense.moments(in, 2 * in + 5, random);
    return of(random, in, outs, schemes, format, a, moments);
  }

  static CoupledStage of(
      Random random,
      int in,
      int[] outs,
      List<WeightScheme> schemes,
      ScaleFormat format,
      float[] a,
      float[] moments) {
    Workers one = Workers.single();
    StageFactors factors = StageFactors.of(in, moments.clone(), null, 0.01, 0, MATMUL, one);
    float[] h = moments.clone();
    factors.damp(h);
    List<QuantizedLinear> starts = new ArrayList<>();
    List<float[]> targets = new ArrayList<>();
    for (int l = 0; l < outs.length; l++) {
      float[] w = Arrays64.gaussian(random, outs[l] * in, 0.05);
      Gptq gptq = new Gptq(schemes.get(l), format, new RangeSearch(20, 0.4, 1, 2), MATMUL);
      starts.add(
          gptq.quantize(w.clone(), outs[l], in, factors.inverseUpper(), factors.importance(), one)
              .linear());
      targets.add(w);
    }
    return new CoupledStage(starts, targets, a, h, format);
  }

  CoupledDescent.Result improved(int rounds, int sweeps, Workers workers) {
    return new CoupledDescent(format, rounds, sweeps, MATMUL)
        .improve(starts, targets, a, h, workers);
  }

  /** tr(A·E·H·Eᵀ) in f64. */
  double objective(List<QuantizedLinear> linears) {
    return new CoupledOracle(linears, targets, a, h).objective();
  }

  static List<QuantizedLinear> linears(CoupledDescent.Result result) {
    return result.linears().stream().map(Gptq.Result::linear).toList();
  }
}
