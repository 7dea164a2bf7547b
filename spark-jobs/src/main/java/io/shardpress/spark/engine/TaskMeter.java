package io.shardpress.spark.engine;

import io.shardpress.spark.io.Traffic;
import org.apache.spark.TaskContext;

/** Hears of what a task does as it does it, and ends it where Spark wants it to end. */
final class TaskMeter implements Traffic {
  private final TaskContext task;

  /**
   * @param task null for work that is no task of Spark's, which nobody ends
   */
  TaskMeter(TaskContext task) {
    this.task = task;
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
  }

  @Override
  public void read(long bytes) {}

  @Override
  public void written(long bytes) {}
}
