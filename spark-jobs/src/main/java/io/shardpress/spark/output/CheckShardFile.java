package io.shardpress.spark.output;

import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.StorageFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HexFormat;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Holds a shard that an interrupted run has left against its record.
 *
 * @param output URI of the checkpoint's folder
 */
public record CheckShardFile(String output, String file, String sha256)
    implements ClusterTask<Boolean> {
  @Override
  public Boolean run(TaskEnvironment environment) {
    Path waiting = OutputFolder.waiting(output, file);
    FileSystem fileSystem = FileSystems.of(waiting, environment.configuration());
    HashingStream sha = new HashingStream(OutputStream.nullOutputStream());
    try {
      Path path = fileSystem.exists(waiting) ? waiting : new Path(output, file);
      try (InputStream in = fileSystem.open(path)) {
        in.transferTo(sha);
      }
    } catch (IOException e) {
      throw StorageFault.of(output + "/" + file, "cannot read", e);
    }
    return HexFormat.of().formatHex(sha.sha256()).equals(sha256);
  }
}
