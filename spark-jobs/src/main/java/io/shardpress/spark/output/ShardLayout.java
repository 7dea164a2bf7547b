package io.shardpress.spark.output;

import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Spreads output tensors over shards of at most 5 GB, greedily, in the order of the input. */
public final class ShardLayout {
  private static final long LARGEST_BYTES = 5_000_000_000L;

  private ShardLayout() {}

  public static List<PlannedFile> of(List<PlanEntry> entries) {
    List<List<TensorSpec>> shards = new ArrayList<>();
    long filled = LARGEST_BYTES;
    for (PlanEntry entry : entries) {
      List<TensorSpec> specs = entry.outputs().stream().map(ShardLayout::spec).toList();
      long bytes = specs.stream().mapToLong(TensorSpec::bytes).sum();
      // The tensors of one module stay together.
      if (filled + bytes > LARGEST_BYTES) {
        shards.add(new ArrayList<>());
        filled = 0;
      }
      shards.get(shards.size() - 1).addAll(specs);
      filled += bytes;
    }
    List<PlannedFile> named = new ArrayList<>();
    for (int i = 0; i < shards.size(); i++) {
      String file =
          shards.size() == 1
              ? "model.safetensors"
              : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      named.add(
          new PlannedFile(
              file,
              SafetensorsHeader.writingOrder(shards.get(i)).stream()
                  .map(PlannedTensor::of)
                  .toList()));
    }
    return named;
  }

  private static TensorSpec spec(OutputTensor tensor) {
    return new TensorSpec(tensor.name(), Dtype.of(tensor.dtype()), tensor.shape());
  }
}
