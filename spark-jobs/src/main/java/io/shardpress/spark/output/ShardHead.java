package io.shardpress.spark.output;

import io.shardpress.schemas.gguf.GgufHeader;
import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.FileSystems;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;

/** What comes before a shard's tensors, and how they are aligned. */
public sealed interface ShardHead extends Serializable {
  /** Writes all that comes before the first tensor. */
  void writeTo(OutputStream out, List<ShardItem> items, TaskEnvironment environment)
      throws IOException;

  /** Zeros that follow a tensor of so many bytes. */
  int padding(long bytes);

  /** The header of safetensors, which follows from its tensors; they lie side by side. */
  record Safetensors() implements ShardHead {
    @Override
    public void writeTo(OutputStream out, List<ShardItem> items, TaskEnvironment environment)
        throws IOException {
      out.write(
          SafetensorsHeader.write(
              items.stream().map(ShardItem::spec).toList(), Map.of("format", "pt")));
    }

    @Override
    public int padding(long bytes) {
      return 0;
    }
  }

  /**
   * The header of GGUF. With the whole tokenizer in it, it may have many megabytes, and so lies in
   * a file.
   *
   * @param file its URI
   */
  record Gguf(String file) implements ShardHead {
    @Override
    public void writeTo(OutputStream out, List<ShardItem> items, TaskEnvironment environment)
        throws IOException {
      Path path = new Path(file);
      try (InputStream in = FileSystems.of(path, environment.configuration()).open(path)) {
        in.transferTo(out);
      }
    }

    @Override
    public int padding(long bytes) {
      return GgufHeader.padding(bytes);
    }
  }
}
