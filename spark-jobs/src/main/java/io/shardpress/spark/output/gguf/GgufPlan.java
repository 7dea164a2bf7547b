package io.shardpress.spark.output.gguf;

import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.gguf.GgufValue;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a run publishes as GGUF.
 *
 * @param files one, or several that llama.cpp opens by the first
 * @param metadata of the model and its tokenizer, for the first file
 * @param warnings what llama.cpp does otherwise
 */
public record GgufPlan(
    List<GgufFile> files, Map<String, GgufValue> metadata, List<String> warnings) {
  public GgufPlan {
    files = List.copyOf(files);
    warnings = List.copyOf(warnings);
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return files.stream().mapToLong(GgufFile::bytes).sum();
  }

  /** How many tensors there are. */
  public int tensors() {
    return files.stream().mapToInt(file -> file.items().size()).sum();
  }

  /** The type that each input tensor has there, by its name; those left out are not among them. */
  public Map<String, GgufType> types() {
    Map<String, GgufType> types = new HashMap<>();
    for (GgufFile file : files) {
      for (GgufItem item : file.items()) {
        item.inputs().forEach(input -> types.put(input, item.tensor().type()));
      }
    }
    return types;
  }
}
