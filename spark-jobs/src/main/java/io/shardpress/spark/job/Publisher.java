package io.shardpress.spark.job;

import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.ManifestTensor;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.output.PublishedFile;
import io.shardpress.schemas.output.PublishedTensor;
import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.PlannedFile;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.PublishTask;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.ShardItem;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Publishes what a job has come to: files of tensors by tasks, then small files, the manifest last.
 */
final class Publisher {
  private final OutputFolder output;
  private final Outcome outcome;

  Publisher(OutputFolder output, Outcome outcome) {
    this.output = output;
    this.outcome = outcome;
  }

  /**
   * Writes everything.
   *
   * @param runTasks runs the files' tasks on the cluster
   * @param digest of what was asked for
   * @param facts what is true of this run only
   */
  Manifest publish(
      Function<List<? extends ClusterTask<PublishedShard>>, List<PublishedShard>> runTasks,
      String digest,
      Map<String, String> facts) {
    output.clear();
    List<PublishedShard> shards = outcome.written();
    if (shards.isEmpty()) {
      shards = runTasks.apply(tasks(output, outcome.publications(), outcome.results()));
    } else {
      shards.forEach(shard -> output.place(shard.file()));
    }
    List<PublishedFile> files = new ArrayList<>();
    List<PublishedTensor> tensors = new ArrayList<>();
    Map<String, byte[]> small = new TreeMap<>();
    int next = 0;
    for (Publication publication : outcome.publications()) {
      int count = publication.files().size();
      List<PublishedShard> own = shards.subList(next, next + count);
      for (int i = 0; i < count; i++) {
        files.add(own.get(i).asFile());
        tensors.addAll(own.get(i).tensors(publication.files().get(i)));
      }
      small.putAll(publication.sideFiles());
      publication.report(own).forEach((name, bytes) -> small.put("report/" + name, bytes));
      next += count;
    }
    small.putAll(outcome.files());
    outcome.report().forEach((name, bytes) -> small.put("report/" + name, bytes));
    small.forEach((name, bytes) -> files.add(output.write(name, bytes)));
    Manifest manifest = Manifest.of(BuildVersion.text(), digest, facts, inputs(), tensors, files);
    output.publish(Manifest.FILE_NAME, manifest.toJson().getBytes(StandardCharsets.UTF_8));
    return manifest;
  }

  /** A task for each file. */
  static List<PublishTask> tasks(
      OutputFolder output, List<Publication> publications, Results results) {
    List<PublishTask> tasks = new ArrayList<>();
    for (Publication publication : publications) {
      for (PlannedFile file : publication.files()) {
        List<ShardItem> items =
            file.tensors().stream()
                .map(one -> new ShardItem(one, publication.source(one, results)))
                .toList();
        tasks.add(
            new PublishTask(output.uri(), file.file(), publication.head(file, output), items));
      }
    }
    return tasks;
  }

  /** What became of every input tensor. */
  private List<ManifestTensor> inputs() {
    Map<String, List<String>> outputs = new HashMap<>();
    String omission = "";
    for (Publication publication : outcome.publications()) {
      publication
          .outputs()
          .forEach(
              (input, names) ->
                  outputs.computeIfAbsent(input, i -> new ArrayList<>()).addAll(names));
      omission = publication.omission();
    }
    List<ManifestTensor> inputs = new ArrayList<>();
    for (InputTensor input : outcome.inputs()) {
      List<String> names = outputs.getOrDefault(input.tensor().tensor(), List.of());
      boolean omitted = names.isEmpty() && input.action() != Action.DROP;
      for (TensorRef tensor : input.tensor().sources()) {
        inputs.add(
            new ManifestTensor(
                tensor.tensor(),
                tensor.shard(),
                tensor.dtype().name(),
                tensor.shape(),
                omitted ? Action.DROP : input.action(),
                omitted ? omission : input.reason(),
                names));
      }
    }
    return inputs;
  }
}
