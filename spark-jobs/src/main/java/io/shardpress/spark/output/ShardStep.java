package io.shardpress.spark.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.StorageFault;
import io.shardpress.spark.io.WholeFile;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes a final shard straight from the model's weights, before it is known whether all of them
 * are good: it waits in .shardpress until all shards are whole. The part has a row "shard" (U8),
 * the JSON of its {@link PublishedShard}.
 */
public record ShardStep(String arithmetic, PublishTask task) implements Step {
  private static final StepKind KIND = new StepKind("output.shard", 1);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ROW = "shard";

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public void run(TaskEnvironment environment) {
    Path target = OutputFolder.waiting(task.output(), task.file());
    FileSystem fileSystem = FileSystems.of(target, environment.configuration());
    PublishedShard shard;
    try (WholeFile whole =
        WholeFile.create(fileSystem, target, target.getParent(), environment.traffic())) {
      shard = task.write(whole.out(), environment);
      whole.commit();
    } catch (IOException e) {
      throw StorageFault.of(target.toString(), "cannot write", e);
    }
    try (PartWriter writer = environment.store().write(part())) {
      byte[] json = JSON.writeValueAsBytes(shard);
      writer.add(new PartRow(ROW, Dtype.U8, List.of((long) json.length), 0, json.length, json));
      writer.commit();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("names and numbers can be written", e);
    }
  }

  /** What the step said of its shard. */
  public PublishedShard read(PartStore store) {
    try (PartReader reader = store.read(part())) {
      return JSON.readValue(reader.row(ROW).data(), PublishedShard.class);
    } catch (IOException e) {
      throw new UncheckedIOException("part " + part().hex() + " is no record of a shard", e);
    }
  }
}
