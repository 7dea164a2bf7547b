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
  /**
   * Whether it is better than another by more than twice the standard error of the difference: both
   * were measured on the same windows.
   */
  boolean surelyBelow(Cell other) {
    double[] mine = evaluation.windowKl();
    double[] theirs = other.evaluation.windowKl();
    double mean = 0;
    for (int i = 0; i < mine.length; i++) {
      mean += (theirs[i] - mine[i]) / mine.length;
    }
    double squares = 0;
    for (int i = 0; i < mine.length; i++) {
      double difference = theirs[i] - mine[i] - mean;
      squares += difference * difference;
    }
    double error = Math.sqrt(squares / Math.max(1, mine.length - 1) / mine.length);
    return mean > 2 * error;
  }
}
