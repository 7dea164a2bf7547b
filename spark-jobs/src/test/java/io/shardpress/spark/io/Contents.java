package io.shardpress.spark.io;

import java.util.HashMap;
import java.util.Map;

/** Checkpoints as steps read them once digests are known. */
public final class Contents {
  private Contents() {}

  /** The checkpoint with its tensors' names for digests. */
  public static Checkpoint named(Checkpoint checkpoint) {
    Map<String, TensorRef> known = new HashMap<>();
    checkpoint
        .tensors()
        .forEach(tensor -> known.put(tensor.tensor(), tensor.withContent(tensor.tensor())));
    return checkpoint.with(known);
  }
}
