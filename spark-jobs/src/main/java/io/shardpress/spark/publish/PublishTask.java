package io.shardpress.spark.publish;

import io.shardpress.schemas.safetensors.SafetensorsHeader;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.unit.ClusterTask;
import io.shardpress.spark.unit.TaskEnvironment;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes a final shard, tensor after tensor, under a name of its own attempt, and renames it.
 *
 * @param output URI of the checkpoint's folder
 * @param file name of the shard
 * @param items in the order in which they lie in it
 */
record PublishTask(String output, String file, List<ShardItem> items)
    implements ClusterTask<PublishedShard> {
  @Override
  public PublishedShard run(TaskEnvironment environment) {
    Path target = new Path(output, file);
    Path attempt = new Path(output, ".shardpress/" + file + "." + UUID.randomUUID());
    FileSystem fileSystem = FileSystems.of(target, environment.configuration());
    try {
      PublishedShard shard;
      try (OutputStream raw = fileSystem.create(attempt, true)) {
        shard = write(raw, environment);
      }
      fileSystem.delete(target, false);
      if (!fileSystem.rename(attempt, target)) {
        throw new IOException("rename to " + target + " failed");
      }
      return shard;
    } catch (IOException e) {
      throw new UncheckedIOException(target + ": cannot write: " + e.getMessage(), e);
    } finally {
      discard(fileSystem, attempt);
    }
  }

  private PublishedShard write(OutputStream raw, TaskEnvironment environment) throws IOException {
    HashingStream whole = new HashingStream(raw);
    whole.write(
        SafetensorsHeader.write(
            items.stream().map(ShardItem::spec).toList(), Map.of("format", "pt")));
    List<String> hashes = new ArrayList<>();
    for (ShardItem item : items) {
      HashingStream one = new HashingStream(whole);
      item.source().writeTo(one, environment);
      if (one.bytes() != item.spec().bytes()) {
        throw new IOException(
            "tensor %s came to %d bytes, wanted %d"
                .formatted(item.name(), one.bytes(), item.spec().bytes()));
      }
      hashes.add(HexFormat.of().formatHex(one.sha256()));
    }
    whole.flush();
    return new PublishedShard(
        file, whole.bytes(), HexFormat.of().formatHex(whole.sha256()), hashes);
  }

  private static void discard(FileSystem fileSystem, Path attempt) {
    try {
      fileSystem.delete(attempt, false);
    } catch (IOException e) {
      // A leftover of a failed attempt lies in .shardpress, which is removed with the run.
      return;
    }
  }
}
