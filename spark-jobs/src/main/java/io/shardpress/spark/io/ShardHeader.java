package io.shardpress.spark.io;

import java.util.List;
import java.util.Map;

/**
 * What the header of a shard says.
 *
 * @param tensors in the order of their offsets
 * @param metadata {@code __metadata__}
 */
record ShardHeader(List<TensorRef> tensors, Map<String, String> metadata) {
  ShardHeader {
    tensors = List.copyOf(tensors);
    metadata = Map.copyOf(metadata);
  }
}
