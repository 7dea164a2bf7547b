package io.shardpress.schemas.output;

import java.util.List;

/**
 * A tensor of the finished checkpoint.
 *
 * @param file the shard that holds it
 * @param sha256 of its bytes, lower-case hex
 */
public record PublishedTensor(
    String name, String dtype, List<Long> shape, String file, String sha256) {
  public PublishedTensor {
    shape = List.copyOf(shape);
  }
}
