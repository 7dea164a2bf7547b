package io.shardpress.spark.learn.blockwise;

import io.shardpress.kernels.learn.AutoRoundLinear;
import io.shardpress.kernels.learn.FlexRoundLinear;
import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.LrqLinear;
import io.shardpress.kernels.learn.TrainableLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.learn.rounding.StepRules;
import java.util.Map;

/**
 * How linears learn by the output error of what they are in.
 *
 * @param lrq null for other kinds
 * @param start what linears start from, GPTQ's result or an earlier learner's; empty: from round to
 *     nearest
 * @param block number of the block, for random numbers
 */
record LearningCourse(
    ModifierKind kind,
    BlockwiseSettings settings,
    LrqSettings lrq,
    ScaleFormat format,
    Map<LinearRole, LearnedLinear> start,
    int block) {
  // Of the steps on scales alone: in relative size, what a scale moves at most by one of them.
  private static final double SCALES_RATE = 1e-3;

  /**
   * A linear at its start.
   *
   * @param original its weights [out×in]
   */
  TrainableLinear linear(
      LinearRole role,
      WeightScheme scheme,
      int out,
      int in,
      float[] original,
      TaskEnvironment environment) {
    float[] w;
    Steps steps;
    if (start.containsKey(role)) {
      w = start.get(role).readCompensated(environment.store());
      steps = start.get(role).readStartingSteps(environment.store());
    } else {
      w = original;
      steps =
          RoundToNearest.steps(
              w, out, in, scheme, format, StepRules.of(settings.stepSearch()), null);
    }
    return switch (kind) {
      case LRQ ->
          new LrqLinear(
              w,
              out,
              in,
              scheme,
              steps,
              lrq.rank(out, in),
              new SeededRandom(settings.seed(), block, role.label()),
              environment.matmul(),
              format);
      case FLEX_ROUND -> new FlexRoundLinear(w, out, in, scheme, steps, format);
      case AUTO_ROUND -> new AutoRoundLinear(w, out, in, scheme, format);
      default -> throw new IllegalStateException(kind + " is not block-wise");
    };
  }

  /** The rate of its steps. */
  LearningRate rate() {
    LearningRate.Decay decay =
        kind == ModifierKind.AUTO_ROUND ? LearningRate.Decay.LINEAR : LearningRate.Decay.COSINE;
    return new LearningRate(settings.learningRate(), settings.iterations(), decay);
  }

  /** The rate of the steps on scales alone that follow them. */
  LearningRate scalesRate() {
    return new LearningRate(SCALES_RATE, settings.scaleIterations(), LearningRate.Decay.COSINE);
  }
}
