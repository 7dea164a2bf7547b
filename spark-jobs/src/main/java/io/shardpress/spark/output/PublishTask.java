package io.shardpress.spark.output;

import io.shardpress.kernels.pack.LearnedBlocks.MinimumError;
import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.Location;
import io.shardpress.spark.io.StorageFault;
import io.shardpress.spark.io.WholeFile;
import io.shardpress.spark.learn.rounding.RoundedRows;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes a final shard, tensor after tensor; it is there whole or not at all.
 *
 * @param output URI of the checkpoint's folder
 * @param file name of the shard
 * @param head what comes before them
 * @param items in the order in which they lie in it
 */
public record PublishTask(
    @Location String output, String file, ShardHead head, List<ShardItem> items)
    implements ClusterTask<PublishedShard> {
  @Override
  public PublishedShard run(TaskEnvironment environment) {
    Path target = new Path(output, file);
    FileSystem fileSystem = FileSystems.of(target, environment.configuration());
    try (WholeFile whole =
        WholeFile.create(
            fileSystem, target, new Path(output, OutputFolder.WORK), environment.traffic())) {
      PublishedShard shard = write(whole.out(), environment);
      whole.replace();
      return shard;
    } catch (IOException e) {
      throw StorageFault.of(target.toString(), "cannot write", e);
    }
  }

  /** Writes the shard's bytes. */
  PublishedShard write(OutputStream raw, TaskEnvironment environment) throws IOException {
    HashingStream whole = new HashingStream(raw);
    List<String> hashes = new ArrayList<>();
    Map<String, MinimumError> minimums = new TreeMap<>();
    try (WriteBehind behind = new WriteBehind(environment.workers().threads())) {
      OutputStream begin = behind.to(whole);
      head.writeTo(begin, items, environment);
      begin.flush();
      for (ShardItem item : items) {
        HashingStream one = new HashingStream(whole);
        OutputStream out = behind.to(one);
        item.source().writeTo(out, environment);
        out.flush();
        behind.then(() -> end(item, one, whole, hashes));
        item.source()
            .minimumError(environment)
            .ifPresent(e -> minimums.put(item.tensor().name(), e));
      }
      behind.then(whole::flush);
      behind.finish();
    }
    return new PublishedShard(
        file,
        whole.bytes(),
        HexFormat.of().formatHex(whole.sha256()),
        hashes,
        minimums,
        RoundedRows.errors(environment));
  }

  private void end(ShardItem item, HashingStream one, HashingStream whole, List<String> hashes)
      throws IOException {
    if (one.bytes() != item.tensor().bytes()) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "tensor %s came to %d bytes, wanted %d",
              item.tensor().name(),
              one.bytes(),
              item.tensor().bytes()));
    }
    hashes.add(HexFormat.of().formatHex(one.sha256()));
    whole.write(new byte[head.padding(item.tensor().bytes())]);
  }
}
