package io.shardpress.spark.learn.gptq;

import io.shardpress.schemas.recipe.GptqSettings;

/**
 * GPTQ's settings, whether it is the learner itself or where LRQ starts.
 *
 * @param layer LRQ by the error of each linear on top; null: GPTQ alone
 * @param keepCompensated whether the weights before rounding are kept for a learner that follows
 */
public record GptqParameters(GptqSettings settings, boolean keepCompensated, LayerCourse layer) {
  public GptqParameters(GptqSettings settings, boolean keepCompensated) {
    this(settings, keepCompensated, null);
  }
}
