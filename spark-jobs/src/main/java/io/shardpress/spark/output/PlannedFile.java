package io.shardpress.spark.output;

import java.util.List;

/**
 * A file that is to be published.
 *
 * @param file its name
 * @param tensors in the order in which they lie in it
 */
public record PlannedFile(String file, List<PlannedTensor> tensors) {
  public PlannedFile {
    tensors = List.copyOf(tensors);
  }

  /** Bytes of its tensors. */
  public long bytes() {
    return tensors.stream().mapToLong(PlannedTensor::bytes).sum();
  }
}
