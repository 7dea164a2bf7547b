package io.shardpress.spark.learn.endtoend;

import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Σ KL(full ‖ quantized) over some windows that are held back.
 *
 * @param states of the blocks and of the head; empty before the first step
 */
record LossStep(TunedModel model, List<PartKey> states, List<Integer> windows) implements Step {
  private static final String LOSS = "loss";
  private static final StepKind KIND = new StepKind("tune.loss", 1);

  LossStep {
    states = List.copyOf(states);
    windows = List.copyOf(windows);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public void run(TaskEnvironment environment) {
    double loss = new TunedPass(model, states, windows, environment).loss();
    try (PartWriter writer = environment.store().write(part())) {
      writer.add(PartRow.ofDoubles(LOSS, loss));
      writer.commit();
    }
  }

  /** Reads it. */
  double read(PartStore store) {
    try (PartReader reader = store.read(part())) {
      return reader.row(LOSS).doubles()[0];
    }
  }
}
