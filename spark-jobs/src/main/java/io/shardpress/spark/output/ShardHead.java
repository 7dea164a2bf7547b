package io.shardpress.spark.output;

import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.spark.engine.TaskEnvironment;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** What comes before a shard's tensors, and how they are aligned. */
public interface ShardHead extends Serializable {
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
              items.stream().map(item -> item.tensor().spec()).toList(), Map.of("format", "pt")));
    }

    @Override
    public int padding(long bytes) {
      return 0;
    }
  }
}
