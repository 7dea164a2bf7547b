package io.shardpress.spark.learn.endtoend;

import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * The gradients that some windows of a batch give: of each block's scales and norms, and of the
 * final norm.
 *
 * @param states of the blocks and of the head; empty before the first step
 * @param windows of the whole text
 * @param batch windows of the whole batch
 */
record GradientStep(TunedModel model, List<PartKey> states, List<Integer> windows, int batch)
    implements Step {
  private static final StepKind KIND = new StepKind("tune.gradient", 1);

  GradientStep {
    states = List.copyOf(states);
    windows = List.copyOf(windows);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  /** The name of a value's gradient in the part. */
  static String name(int block, String value) {
    return block + " " + value;
  }

  @Override
  public void run(TaskEnvironment environment) {
    try (PartWriter writer = environment.store().write(part())) {
      new TunedPass(model, states, windows, environment)
          .gradients(
              1.0 / ((double) batch * (model.window() - 1)),
              (double) windows.size() / batch,
              (block, gradients) ->
                  gradients.forEach(
                      (name, values) -> writer.add(PartRow.ofFloats(name(block, name), values))));
      writer.commit();
    }
  }
}
