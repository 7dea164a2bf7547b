package io.shardpress.spark.learn.scales;

import io.shardpress.spark.engine.SharedTask;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.learn.blockwise.LearningBatches;

/**
 * Takes some windows of a batch through a block whose scales are being learned, and back.
 *
 * @param windows of the whole text; where gradients are wanted, as many as go through together
 * @param backward whether gradients are wanted; else only the loss
 * @param last whether the block will not be asked for again
 */
@SuppressWarnings("ArrayRecordComponent") // crosses Spark, is compared with nothing
public record ScaleTask(int[] windows, boolean backward, boolean last)
    implements SharedTask<ScaleState, ScaleGradient> {
  @Override
  public ScaleGradient run(ScaleState shared, TaskEnvironment environment) {
    ScaleCourse course = shared.course();
    ResidentBlock block = ResidentBlock.of(course, environment);
    ScaleLearner learner = block.borrow(environment);
    learner.load(shared.logScales());
    ScaleGradient gradient;
    try (LearningBatches batches = learner.batches(course, environment)) {
      gradient =
          backward
              ? learner.gradient(windows, batches, environment.workers())
              : new ScaleGradient(
                  batches.loss(windows, environment.workers()) / windows.length, null);
    }
    if (last) {
      ResidentBlock.forget(course);
    } else {
      block.giveBack(learner);
    }
    return gradient;
  }
}
