package io.shardpress.spark.output;

import io.shardpress.schemas.safetensors.TensorSpec;
import java.util.List;

/**
 * A file of the finished checkpoint.
 *
 * @param file its name
 * @param tensors in the order in which they lie in it
 */
public record OutputShard(String file, List<TensorSpec> tensors) {
  public OutputShard {
    tensors = List.copyOf(tensors);
  }

  /** Bytes of its tensors. */
  public long bytes() {
    return tensors.stream().mapToLong(TensorSpec::bytes).sum();
  }
}
