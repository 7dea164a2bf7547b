package io.shardpress.spark.output.gguf;

import io.shardpress.schemas.gguf.GgufHeader;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.Location;
import io.shardpress.spark.output.ShardHead;
import io.shardpress.spark.output.ShardItem;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.apache.hadoop.fs.Path;

/**
 * The header of GGUF. With the whole tokenizer in it, it may have many megabytes, and so lies in a
 * file.
 *
 * @param file its URI
 * @param sha256 of its bytes, by which a shard that is written beforehand is named
 */
record GgufHead(@Location String file, String sha256) implements ShardHead {
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
