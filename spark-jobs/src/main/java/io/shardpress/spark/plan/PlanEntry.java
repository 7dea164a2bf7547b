package io.shardpress.spark.plan;

import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.io.TensorRef;
import java.util.List;

/**
 * What becomes of one input tensor.
 *
 * @param module the tensor's name without .weight
 * @param reason why it is copied or dropped; empty for quantized tensors
 * @param choice modifier and scheme; null where the tensor is not quantized
 * @param outputs the tensors that it becomes
 * @param source what is read for it: the tensor, or what an earlier modifier made of it
 */
public record PlanEntry(
    TensorRef tensor,
    String module,
    Action action,
    String reason,
    Recipe.Choice choice,
    List<OutputTensor> outputs,
    TensorRef source) {
  /** The reason of linears that the recipe leaves alone. */
  static final String IGNORED = "ignored by the recipe";

  public PlanEntry {
    outputs = List.copyOf(outputs);
  }

  PlanEntry(
      TensorRef tensor,
      String module,
      Action action,
      String reason,
      Recipe.Choice choice,
      List<OutputTensor> outputs) {
    this(tensor, module, action, reason, choice, outputs, tensor);
  }

  PlanEntry withSource(TensorRef other) {
    return new PlanEntry(tensor, module, action, reason, choice, outputs, other);
  }

  /** Whether it is a linear's weight that the recipe leaves alone. */
  public boolean ignored() {
    return reason.equals(IGNORED);
  }

  /** The same that becomes other tensors. */
  PlanEntry withOutputs(List<OutputTensor> others) {
    return new PlanEntry(tensor, module, action, reason, choice, others, source);
  }

  /** Rows of a quantized weight. */
  public int out() {
    return Math.toIntExact(tensor.rows());
  }

  /** Columns of a quantized weight. */
  public int in() {
    return Math.toIntExact(tensor.columns());
  }
}
