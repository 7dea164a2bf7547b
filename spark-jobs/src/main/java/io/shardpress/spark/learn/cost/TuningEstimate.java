package io.shardpress.spark.learn.cost;

import io.shardpress.schemas.recipe.EndToEndSettings;
import io.shardpress.spark.learn.endtoend.Tuning;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;

/**
 * What steps over the whole model cost.
 *
 * @param numbers that are learned: scales, norms, and the latents of integers
 * @param tasks of a step's batch
 * @param bytesAStep that gradients and states of a step are, written and read
 * @param taskBytes of the largest task's arrays
 */
record TuningEstimate(long numbers, int tasks, long bytesAStep, long taskBytes) {
  // Adam's two moments beside each number.
  private static final int IN_A_STATE = 3;
  // Logits of a model, and a slice of the projection, at most.
  private static final long LOGITS = 1 << 25;
  private static final long SLICE = 1 << 24;
  // A block's weights, codes, gradients by tiles, and activations of a batch with their gradients.
  private static final int OF_A_BLOCK = 3;

  static TuningEstimate of(
      CompressionPlan plan, EndToEndSettings settings, int windows, int window) {
    long scales = 0;
    long latents = 0;
    long weights = 0;
    for (PlanEntry entry : plan.quantized().values()) {
      long size = (long) entry.out() * entry.in();
      scales += (long) entry.out() * entry.choice().group().weights().groups(entry.in());
      latents += Math.round(settings.integers() * size);
      weights += size;
    }
    long hidden = plan.config().hiddenSize();
    long layers = plan.config().layers();
    long numbers = scales + latents + (2 * layers + 1) * hidden;
    int tasks = Tuning.tasks(Math.min(settings.batchSize(), windows), window);
    long moved = (2L * tasks + 2 * IN_A_STATE) * numbers * Float.BYTES;
    long together = Tuning.together(window);
    // Inputs of all blocks, gradients, and where integers are learned what full precision gives.
    long streams = (layers + 4) * together * window * hidden;
    long vocabulary = plan.config().vocabSize();
    long head =
        2 * Math.min(LOGITS, together * window * vocabulary) + Math.min(SLICE, vocabulary * hidden);
    long task = Float.BYTES * (streams + OF_A_BLOCK * weights / layers + head);
    return new TuningEstimate(numbers, tasks, moved, task);
  }
}
