package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.GivenSteps;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * LRQ (arXiv 2407.11534) by the output error of a single linear instead of a block's: L, U, r, c
 * and d of {@link LrqLinear} descend tr((W − Ŵ)·H·(W − Ŵ)ᵀ) over the mean of diag(H), with Adam on
 * all calibration inputs at once. A step costs one product with H, however many inputs it was
 * gathered from, and no other linear of the block is needed.
 *
 * <p>The last rounding is GPTQ (arXiv 2210.17323) of W itself with the learned steps exp(d): S
 * shapes the descent of d and is then dropped, as the rounding through S was never the better one.
 * Row by row the result is the best, by the same objective, of that, of GPTQ and of rounding to
 * nearest with the first steps, and of rounding to nearest with steps of the whole range. The paper
 * has none of this; its objective is the block's.
 */
public final class LayerLrq {
  /** What gave the best results on small models: 300 steps, 3e-3 falling to 0 along a cosine. */
  public static final LearningRate LEARNING_RATE =
      new LearningRate(3e-3, 300, LearningRate.Decay.COSINE);

  private final WeightScheme scheme;
  private final ScaleFormat format;
  private final int rank;
  private final LearningRate learningRate;
  private final Matmul matmul;

  /**
   * @param rank k, columns of L
   * @param learningRate its iterations are the steps taken
   */
  public LayerLrq(
      WeightScheme scheme, ScaleFormat format, int rank, LearningRate learningRate, Matmul matmul) {
    this.scheme = scheme;
    this.format = format;
    this.rank = rank;
    this.learningRate = learningRate;
    this.matmul = matmul;
  }

  /**
   * A linear on its grid.
   *
   * @param objective tr((W − Ŵ)·H·(W − Ŵ)ᵀ) over the mean of diag(H)
   */
  public record Result(QuantizedLinear linear, double objective) {}

  /**
   * Quantizes w.
   *
   * @param w [out×in] the weights to come near to, corrected ones where there are such; not changed
   * @param h H = XᵀX of the linear's inputs [in×in], symmetric, not damped; not changed
   * @param inverseUpper U [in×in] of the damped H, upper triangular, H⁻¹ = Uᵀ·U, as {@link
   *     StageFactors#inverseUpper} has it
   * @param start the steps that learning starts from; those of a GPTQ of w make the result no worse
   *     than that
   * @param random draws LRQ's U
   * @throws IllegalArgumentException where {@code in} is above {@link StageFactors#MOST_INPUTS}, or
   *     an array is shorter than its shape
   */
  public Result quantize(
      float[] w,
      int out,
      int in,
      float[] h,
      float[] inverseUpper,
      Steps start,
      SeededRandom random,
      Workers workers) {
    StageFactors.checkInputs(in);
    LayerObjective objective = new LayerObjective(w, out, in, h, matmul);
    BestRows rows = new BestRows(objective, nearest(w, out, in, new MinMax()), workers);
    rows.offer(nearest(w, out, in, new GivenSteps(start)), workers);
    rows.offer(gptq(w, out, in, inverseUpper, start, workers), workers);
    Steps learned = learn(objective, w, out, in, start, random, workers);
    rows.offer(gptq(w, out, in, inverseUpper, learned, workers), workers);
    return new Result(rows.best(), rows.least());
  }

  /** The learned steps. */
  private Steps learn(
      LayerObjective objective,
      float[] w,
      int out,
      int in,
      Steps start,
      SeededRandom random,
      Workers workers) {
    LrqLinear linear =
        new LrqLinear(w, out, in, scheme, start, rank, random, matmul, ScaleFormat.F32);
    for (int i = 0; i < learningRate.iterations(); i++) {
      float[] gradient = objective.gradient(linear.forward(workers), workers);
      linear.backward(gradient, workers);
      linear.step(i + 1, learningRate.at(i), workers);
    }
    return linear.result(format, workers).steps();
  }

  private QuantizedLinear nearest(float[] w, int out, int in, StepRule rule) {
    return RoundToNearest.quantize(w, out, in, scheme, format, rule);
  }

  private QuantizedLinear gptq(
      float[] w, int out, int in, float[] inverseUpper, Steps steps, Workers workers) {
    return new Gptq(scheme, format, new GivenSteps(steps), matmul)
        .quantize(w.clone(), out, in, inverseUpper, null, workers)
        .linear();
  }
}
