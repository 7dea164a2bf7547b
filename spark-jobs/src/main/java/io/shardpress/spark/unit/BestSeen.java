package io.shardpress.spark.unit;

import io.shardpress.kernels.learn.BlockwiseLearner;

/**
 * Keeps a block's parameters with the least loss over windows spread evenly over the text, and says
 * when learning has lost its way.
 */
final class BestSeen {
  private static final int CHECKS = 5;
  private static final int CHECK_WINDOWS = 32;

  // Gradients that pass straight through rounding lead away from where GPTQ and descent have come
  // to the end of single changes: on fine grids for good, on coarse ones until the rate has fallen.
  // The bound lies between what came back and what did not, after two of five checks.
  private static final double LOST = 1.1;
  private static final int EARLY_CHECKS = 2;

  private final BlockwiseLearner learner;
  private final LearningBatches batches;
  private final TaskEnvironment environment;
  private double least = Double.POSITIVE_INFINITY;

  BestSeen(BlockwiseLearner learner, LearningBatches batches, TaskEnvironment environment) {
    this.learner = learner;
    this.batches = batches;
    this.environment = environment;
  }

  /**
   * Checks where a check is due.
   *
   * @param iteration the next one, from 0
   * @return whether to take it; false from two fifths on, where the loss is a tenth above the least
   */
  boolean goOn(int iteration, int iterations) {
    int interval = Math.max(1, iterations / CHECKS);
    if (iteration % interval != 0) {
      return true;
    }
    double loss = check();
    return iteration < EARLY_CHECKS * interval || !(loss > LOST * least);
  }

  /** Remembers the parameters if there were none better; their loss. */
  double check() {
    int windows = batches.windows();
    int checked = Math.min(windows, CHECK_WINDOWS);
    double loss = 0;
    for (int first = 0; first < checked; first += batches.batch()) {
      int count = Math.min(batches.batch(), checked - first);
      for (int i = 0; i < count; i++) {
        batches.load((int) ((long) (first + i) * windows / checked), i);
      }
      loss += count * learner.loss(batches.target(), count, environment.workers());
    }
    // Not by loss alone: without the first check there would be nothing to go back to.
    if (loss < least || least == Double.POSITIVE_INFINITY) {
      least = loss;
      learner.remember();
    }
    return loss;
  }
}
