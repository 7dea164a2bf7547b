package io.shardpress.spark.job.sums;

import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartWriter;

/** Sums a tensor's numbers; with a system property so slowly that there is time for a kill. */
record SumStep(TensorRef tensor) implements Step {
  /** Milliseconds that a sum takes at least. */
  static final String PAUSE = "shardpress.sums.pause";

  @Override
  public StepKind kind() {
    return new StepKind("sum", 1);
  }

  @Override
  public void run(TaskEnvironment environment) {
    pause();
    double sum = 0;
    for (float value : environment.reader().readFloats(tensor)) {
      sum += value;
    }
    try (PartWriter writer = environment.store().write(part())) {
      writer.add(PartRow.ofFloats("sum", (float) sum));
      writer.commit();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(Long.getLong(PAUSE, 0L));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
