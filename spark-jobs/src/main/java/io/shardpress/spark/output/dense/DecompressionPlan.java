package io.shardpress.spark.output.dense;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.List;

/**
 * How a quantized checkpoint becomes a dense one.
 *
 * @param checkpoint dequantized on read
 * @param dtype of the weights that are dequantized: BF16, F16 or F32
 * @param entries one for every tensor of the dense model, and for those that have no place in it
 */
public record DecompressionPlan(Checkpoint checkpoint, Dtype dtype, List<PlanEntry> entries) {
  public DecompressionPlan {
    entries = List.copyOf(entries);
  }

  /**
   * The plan for a checkpoint.
   *
   * @param checkpoint dequantized on read
   * @throws CheckpointException where no weight of it is quantized
   */
  public static DecompressionPlan of(Checkpoint checkpoint, Dtype dtype) {
    List<PlanEntry> entries = new ArrayList<>();
    for (TensorRef tensor : checkpoint.tensors()) {
      OutputTensor output =
          new OutputTensor(tensor.tensor(), tensor.dtype().name(), tensor.shape());
      String reason = tensor.stored() == null ? "" : "dequantized from " + tensor.stored().form();
      entries.add(
          new PlanEntry(tensor, tensor.tensor(), Action.COPY, reason, null, List.of(output)));
    }
    if (entries.stream().allMatch(entry -> entry.tensor().stored() == null)) {
      throw new CheckpointException(
          checkpoint.uri()
              + ": found no quantized weights; the checkpoint is in full precision already");
    }
    entries.addAll(PlanEntry.unused(checkpoint));
    return new DecompressionPlan(checkpoint, dtype, entries);
  }

  /** The weights that are dequantized. */
  public List<TensorRef> weights() {
    return entries.stream()
        .map(PlanEntry::tensor)
        .filter(tensor -> tensor.stored() != null)
        .toList();
  }

  /** Bytes of all tensors of the files. */
  public long inputBytes() {
    return entries.stream().mapToLong(entry -> entry.tensor().storedBytes()).sum();
  }
}
