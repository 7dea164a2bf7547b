package io.shardpress.spark.output.gguf;

import java.util.List;

/**
 * A GGUF file of the finished checkpoint.
 *
 * @param file its name
 * @param items in the order in which they lie in it
 */
public record GgufFile(String file, List<GgufItem> items) {
  public GgufFile {
    items = List.copyOf(items);
  }

  /** Bytes of its tensors. */
  public long bytes() {
    return items.stream().mapToLong(item -> item.tensor().bytes()).sum();
  }
}
