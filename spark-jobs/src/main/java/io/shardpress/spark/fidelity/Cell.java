package io.shardpress.spark.fidelity;

import io.shardpress.spark.evaluate.Evaluation;

/**
 * One learner at one scheme.
 *
 * @param seconds of compressing, on the clock
 * @param cpuSeconds of the learners' tasks
 * @param flops of matrix products, estimated from shapes as the plan does
 */
record Cell(Evaluation evaluation, double seconds, double cpuSeconds, double flops) {
  /** The mean over windows of a difference in KL, and its standard error, both in nats. */
  record Difference(double mean, double standardError) {
    /** Whether it is above nought by more than twice its standard error. */
    boolean sure() {
      return mean > 2 * standardError;
    }
  }

  /**
   * By how much this cell's KL is above another's, paired: both were measured on the same windows.
   */
  Difference above(Cell other) {
    double[] mine = evaluation.windowKl();
    double[] theirs = other.evaluation.windowKl();
    double mean = 0;
    for (int i = 0; i < mine.length; i++) {
      mean += (mine[i] - theirs[i]) / mine.length;
    }
    double squares = 0;
    for (int i = 0; i < mine.length; i++) {
      double rest = mine[i] - theirs[i] - mean;
      squares += rest * rest;
    }
    return new Difference(mean, Math.sqrt(squares / Math.max(1, mine.length - 1) / mine.length));
  }
}
