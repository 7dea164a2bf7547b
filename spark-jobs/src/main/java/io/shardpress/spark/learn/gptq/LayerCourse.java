package io.shardpress.spark.learn.gptq;

import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.Modifier;
import java.io.Serializable;

/**
 * LRQ by the error of single linears.
 *
 * @param fromGptq whether it starts from the steps that GPTQ takes, not from min and max
 */
public record LayerCourse(
    LrqSettings lrq, int iterations, double learningRate, long seed, boolean fromGptq)
    implements Serializable {
  /** That of an LRQ modifier, or null where its objective is the block's. */
  public static LayerCourse of(Modifier modifier) {
    LrqSettings lrq = LrqSettings.of(modifier);
    if (lrq.objective() != LrqSettings.Objective.LAYER) {
      return null;
    }
    BlockwiseSettings course = BlockwiseSettings.of(modifier);
    return new LayerCourse(
        lrq,
        course.iterations(),
        course.learningRate(),
        course.seed(),
        lrq.init() == LrqSettings.Init.GPTQ);
  }

  LearningRate rate() {
    return new LearningRate(learningRate, iterations, LearningRate.Decay.COSINE);
  }
}
