package io.shardpress.spark.job;

import io.shardpress.schemas.recipe.GptqModifier;
import io.shardpress.schemas.recipe.LrqModifier;

/**
 * GPTQ's settings, whether it is the learner itself or where LRQ starts.
 *
 * @param keepCompensated whether the weights before rounding are kept for a learner that follows
 */
record GptqParameters(
    boolean stepSearch,
    double alpha,
    double damping,
    double dampeningFrac,
    int blockSize,
    boolean trueSequential,
    boolean keepCompensated) {
  static GptqParameters of(GptqModifier m) {
    return new GptqParameters(
        m.stepSearch(),
        m.alpha(),
        m.damping(),
        m.dampeningFrac(),
        m.blockSize(),
        m.trueSequential(),
        false);
  }

  static GptqParameters of(LrqModifier m) {
    return new GptqParameters(
        m.stepSearch(),
        m.alpha(),
        m.damping(),
        m.dampeningFrac(),
        m.blockSize(),
        m.trueSequential(),
        true);
  }
}
