package io.shardpress.spark.job.sums;

import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.output.PlannedFile;
import io.shardpress.spark.output.PlannedTensor;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.TensorSource;
import java.util.List;
import java.util.Map;

/** An artifact beside a checkpoint: a number for each of its tensors. */
record Sums(Checkpoint checkpoint) implements Publication {
  static final String FILE = "sums.safetensors";

  @Override
  public String word() {
    return "sums";
  }

  @Override
  public List<PlannedFile> files() {
    List<PlannedTensor> tensors =
        checkpoint.tensors().stream()
            .map(t -> new PlannedTensor(t.tensor() + ".sum", "F32", List.of(1L), 4))
            .toList();
    return List.of(new PlannedFile(FILE, tensors));
  }

  @Override
  public TensorSource source(PlannedTensor tensor, Results results) {
    return new SumSource(results.rows().get(tensor.name()).get(0));
  }

  @Override
  public Map<String, List<String>> outputs() {
    return Map.of();
  }
}
