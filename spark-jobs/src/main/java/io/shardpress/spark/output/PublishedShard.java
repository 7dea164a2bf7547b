package io.shardpress.spark.output;

import io.shardpress.kernels.pack.LearnedBlocks.MinimumError;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.schemas.output.PublishedTensor;
import io.shardpress.spark.block.WeightError;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a task says of the shard that it wrote.
 *
 * @param sha256 of the file
 * @param tensorSha256 of each tensor's bytes, in the file's order
 * @param minimums what rounded minimums cost, by tensor, where the format has them
 * @param errors of the weights that the task has rounded, by module
 */
public record PublishedShard(
    String file,
    long size,
    String sha256,
    List<String> tensorSha256,
    Map<String, MinimumError> minimums,
    Map<String, WeightError> errors)
    implements Serializable {
  public PublishedShard {
    tensorSha256 = List.copyOf(tensorSha256);
    minimums = Map.copyOf(minimums);
    errors = Map.copyOf(errors);
  }

  public PublishedFile asFile() {
    return new PublishedFile(file, size, sha256);
  }

  /** Its tensors, as the file was planned. */
  public List<PublishedTensor> tensors(PlannedFile planned) {
    List<PublishedTensor> tensors = new ArrayList<>();
    for (int i = 0; i < planned.tensors().size(); i++) {
      PlannedTensor tensor = planned.tensors().get(i);
      tensors.add(
          new PublishedTensor(
              tensor.name(), tensor.type(), tensor.shape(), file, tensorSha256.get(i)));
    }
    return tensors;
  }
}
