package io.shardpress.spark.job.sums;

import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.output.FolderFiles;
import io.shardpress.spark.output.PlannedFile;
import io.shardpress.spark.output.PlannedTensor;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.TensorSource;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The tensors as they are, in one file. */
record CopiedModel(Checkpoint checkpoint) implements Publication {
  @Override
  public String word() {
    return "copy";
  }

  @Override
  public List<PlannedFile> files() {
    List<PlannedTensor> tensors =
        checkpoint.tensors().stream()
            .map(t -> new PlannedTensor(t.tensor(), t.dtype().name(), t.shape(), t.length()))
            .toList();
    return List.of(new PlannedFile("model.safetensors", tensors));
  }

  @Override
  public TensorSource source(PlannedTensor tensor, Results results) {
    return new TensorSource.Copy(checkpoint.find(tensor.name()).orElseThrow());
  }

  @Override
  public Map<String, List<String>> outputs() {
    return checkpoint.tensors().stream()
        .collect(Collectors.toMap(t -> t.tensor(), t -> List.of(t.tensor())));
  }

  @Override
  public Map<String, byte[]> sideFiles() {
    return FolderFiles.copied(checkpoint);
  }
}
