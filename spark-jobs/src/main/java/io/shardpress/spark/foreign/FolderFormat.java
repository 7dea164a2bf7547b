package io.shardpress.spark.foreign;

import io.shardpress.spark.io.StoredWeight;
import java.util.List;
import java.util.Map;

/** What a quantized folder's tensors make. */
interface FolderFormat {
  /**
   * A dense tensor.
   *
   * @param shape of the dense model
   */
  record Weight(List<Long> shape, StoredWeight stored) {
    public Weight {
      shape = List.copyOf(shape);
    }
  }

  /**
   * The dense tensors by name that are made of several in the files.
   *
   * @throws io.shardpress.schemas.CheckpointException where tensors and config do not go together
   */
  Map<String, Weight> weights();

  /** Tensors of the files that have no place in the dense model, by name, and why. */
  Map<String, String> unused();
}
