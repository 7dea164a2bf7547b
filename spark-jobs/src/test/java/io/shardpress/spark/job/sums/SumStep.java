package io.shardpress.spark.job.sums;

import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartWriter;

/** Sums a tensor's numbers. */
record SumStep(TensorRef tensor) implements Step {
  @Override
  public StepKind kind() {
    return new StepKind("sum", 1);
  }

  @Override
  public void run(TaskEnvironment environment) {
    double sum = 0;
    for (float value : environment.reader().readFloats(tensor)) {
      sum += value;
    }
    try (PartWriter writer = environment.store().write(part())) {
      writer.add(PartRow.ofFloats("sum", (float) sum));
      writer.commit();
    }
  }
}
