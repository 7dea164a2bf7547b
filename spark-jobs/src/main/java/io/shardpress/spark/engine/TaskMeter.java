package io.shardpress.spark.engine;

import io.shardpress.spark.io.Traffic;
import org.apache.spark.TaskContext;

/** Counts what a task does as it does it, and ends it where Spark wants it to end. */
final class TaskMeter implements Traffic {
  private final TaskContext task;
  private final Tallies tallies;
  private final RunMetrics metrics;

  /**
   * @param tallies the task's own
   * @param metrics of its process
   */
  TaskMeter(TaskContext task, Tallies tallies, RunMetrics metrics) {
    this.task = task;
    this.tallies = tallies;
    this.metrics = metrics;
  }

  /** One for work that is no task of Spark's, which nobody ends. */
  static TaskMeter alone() {
    return new TaskMeter(null, Tallies.alone(), new RunMetrics());
  }

  /**
   * Ends a task that was killed, or overtaken by its twin. Any of its threads may ask, often.
   *
   * @throws org.apache.spark.TaskKilledException where it is to end
   */
  @Override
  public void checkpoint() {
    if (task != null) {
      task.killTaskIfInterrupted();
    }
  }

  /** A product of so many flop begins. */
  void product(long flop) {
    checkpoint();
    tallies.flop().add(flop);
    metrics.flop.inc(flop);
  }

  @Override
  public void read(long bytes) {
    tallies.bytesRead().add(bytes);
    metrics.bytesRead.inc(bytes);
  }

  @Override
  public void written(long bytes) {
    tallies.bytesWritten().add(bytes);
    metrics.bytesWritten.inc(bytes);
  }

  /** What it has counted so far. */
  Work work() {
    return tallies.work();
  }
}
