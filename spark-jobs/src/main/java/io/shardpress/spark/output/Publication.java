package io.shardpress.spark.output;

import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.ManifestTensor;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.schemas.output.PublishedTensor;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.output.gguf.GgufFiles;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A checkpoint as it is to be published: shards, then the files around them, the manifest last.
 *
 * @param sources where the bytes of each shard's tensors come from, by name
 * @param inputs what became of every input tensor
 * @param files below the folder, by name
 * @param gguf files of that format beside or in place of the shards; null: none
 * @param recipeDigest of what it was made by
 */
public record Publication(
    OutputFolder output,
    List<OutputShard> shards,
    Map<String, TensorSource> sources,
    List<ManifestTensor> inputs,
    Map<String, byte[]> files,
    GgufFiles gguf,
    String recipeDigest) {
  /** Tasks that write the shards, one each. */
  private List<PublishTask> tasks() {
    List<PublishTask> tasks = new ArrayList<>();
    for (OutputShard shard : shards) {
      List<ShardItem> items = new ArrayList<>();
      for (TensorSpec tensor : shard.tensors()) {
        items.add(new ShardItem(tensor, sources.get(tensor.name())));
      }
      tasks.add(
          new PublishTask(
              output.uri(), shard.file(), new ShardHead.Safetensors(), List.copyOf(items)));
    }
    if (gguf != null) {
      tasks.addAll(gguf.tasks());
    }
    return tasks;
  }

  /**
   * Writes everything.
   *
   * @param runTasks runs the shards' tasks on the cluster
   * @param run what is true of this run only, for the manifest
   */
  public Manifest write(
      Function<List<? extends ClusterTask<PublishedShard>>, List<PublishedShard>> runTasks,
      String version,
      Map<String, String> run) {
    output.clear();
    List<PublishTask> tasks = tasks();
    List<PublishedShard> published = runTasks.apply(tasks);
    List<PublishedFile> written = new ArrayList<>();
    List<PublishedTensor> tensors = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      written.add(published.get(i).asFile());
      List<ShardItem> items = tasks.get(i).items();
      for (int t = 0; t < items.size(); t++) {
        tensors.add(published.get(i).asTensor(t, items.get(t)));
      }
    }
    files.forEach((name, bytes) -> written.add(output.write(name, bytes)));
    if (gguf != null) {
      written.add(output.write("report/gguf.jsonl", gguf.report(published)));
    }
    Manifest manifest = Manifest.of(version, recipeDigest, run, inputs, tensors, written);
    output.publish(Manifest.FILE_NAME, manifest.toJson().getBytes(StandardCharsets.UTF_8));
    return manifest;
  }
}
