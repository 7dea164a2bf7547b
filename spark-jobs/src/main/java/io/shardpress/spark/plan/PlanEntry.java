package io.shardpress.spark.plan;

import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

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

  public PlanEntry(
      TensorRef tensor,
      String module,
      Action action,
      String reason,
      Recipe.Choice choice,
      List<OutputTensor> outputs) {
    this(tensor, module, action, reason, choice, outputs, tensor);
  }

  /** Of tensors in the files that have no place in the dense model. */
  public static List<PlanEntry> unused(Checkpoint checkpoint) {
    return checkpoint.unused().entrySet().stream()
        .map(
            one ->
                new PlanEntry(
                    one.getKey(),
                    one.getKey().tensor(),
                    Action.DROP,
                    one.getValue(),
                    null,
                    List.of()))
        .toList();
  }

  PlanEntry withSource(TensorRef other) {
    return new PlanEntry(tensor, module, action, reason, choice, outputs, other);
  }

  /** Whether it is a linear's weight that the recipe leaves alone. */
  public boolean ignored() {
    return reason.equals(IGNORED);
  }

  /** The same that becomes other tensors. */
  public PlanEntry withOutputs(List<OutputTensor> others) {
    return new PlanEntry(tensor, module, action, reason, choice, others, source);
  }

  /** The same with so many outliers, of what is read: what a transform made is wider. */
  PlanEntry withOutliers(long count) {
    Map<String, OutputTensor> counted =
        CompressedTensors.outlierTensors(module, count, source.dtype().name()).stream()
            .collect(Collectors.toMap(OutputTensor::name, other -> other));
    return withOutputs(outputs.stream().map(one -> counted.getOrDefault(one.name(), one)).toList());
  }

  /** Rows of a quantized weight. */
  public int out() {
    return Math.toIntExact(tensor.rows());
  }

  /** Columns of a quantized weight. */
  public int in() {
    return Math.toIntExact(tensor.columns());
  }

  /** Stored bits for each weight of some linears. */
  public static double bits(Iterable<PlanEntry> entries) {
    double bits = 0;
    double weights = 0;
    for (PlanEntry entry : entries) {
      for (OutputTensor tensor : entry.outputs()) {
        if (!tensor.name().endsWith(".weight_shape")) {
          bits +=
              8.0 * new TensorSpec(tensor.name(), Dtype.of(tensor.dtype()), tensor.shape()).bytes();
        }
      }
      weights += entry.tensor().elements();
    }
    return weights == 0 ? 0 : bits / weights;
  }
}
