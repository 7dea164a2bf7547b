package io.shardpress.spark.job;

import io.shardpress.spark.engine.FiniteCheck;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.output.CheckShardFile;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.PublishTask;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.ShardStep;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes the files of publications straight from the model: the task of a file reads weights once,
 * refuses what is not finite, rounds and hashes, and no parts lie in between. Files wait under
 * .shardpress until all are whole, so that nothing is published, and nothing replaced, where a
 * weight turns out to be bad; a run that was killed goes on with those that it has.
 */
public final class DirectShards {
  private final StepRunner steps;
  private final OutputFolder output;
  private StepRunner.Ran ran = StepRunner.Ran.NOTHING;

  DirectShards(StepRunner steps, OutputFolder output) {
    this.steps = steps;
    this.output = output;
  }

  /** What it cost. */
  StepRunner.Ran ran() {
    return ran;
  }

  /**
   * A checkpoint's tensors, by name, with what their bytes are told from others by before anybody
   * has read them: where they lie in which file, as that is now.
   */
  static Map<String, TensorRef> contents(Checkpoint checkpoint) {
    Map<String, CheckpointFile> files = new HashMap<>();
    checkpoint.files().forEach(file -> files.put(file.uri(), file));
    Map<String, TensorRef> contents = new HashMap<>();
    for (TensorRef tensor : checkpoint.tensors()) {
      String place = "at " + tensor.position() + " of " + files.get(tensor.file());
      contents.put(tensor.tensor(), tensor.withContent(place));
    }
    return contents;
  }

  /**
   * Writes them.
   *
   * @param checkpoint with the {@link #contents} of its tensors
   * @param results all that they come from besides the checkpoint's own tensors
   * @param progress hears how many files an interrupted run has left
   * @return in the order of the publications and their files
   */
  List<PublishedShard> write(
      Checkpoint checkpoint, List<Publication> publications, Results results, Progress progress) {
    steps.call("check", FiniteCheck.of(unread(checkpoint, publications)));
    List<ShardStep> all = new ArrayList<>();
    for (PublishTask task : Publisher.tasks(output, publications, results)) {
      all.add(new ShardStep(steps.arithmetic(), task));
    }
    forgetBad(all);
    List<ShardStep> missing = steps.missing(all);
    progress.found("shards", all.size() - missing.size(), all.size());
    ran = steps.run("round into shards", Where.MODEL, missing, all.size());
    return all.stream().map(step -> step.read(steps.store())).toList();
  }

  /** What no file comes from is checked all the same: a checkpoint is good as a whole. */
  private static List<TensorRef> unread(Checkpoint checkpoint, List<Publication> publications) {
    Set<String> read = new HashSet<>();
    publications.forEach(publication -> read.addAll(publication.outputs().keySet()));
    return checkpoint.inFiles().stream().filter(tensor -> !read.contains(tensor.tensor())).toList();
  }

  /** Forgets those that an interrupted run has left and that are not whole any more. */
  private void forgetBad(List<ShardStep> all) {
    List<ShardStep> left = new ArrayList<>(all);
    left.removeAll(steps.missing(all));
    List<CheckShardFile> checks = new ArrayList<>();
    List<ShardStep> checked = new ArrayList<>();
    for (ShardStep step : left) {
      PublishedShard shard = step.read(steps.store());
      if (output.isThere(shard.file(), shard.size())) {
        checks.add(new CheckShardFile(output.uri(), shard.file(), shard.sha256()));
        checked.add(step);
      } else {
        steps.store().delete(step.part());
      }
    }
    List<Boolean> good = steps.call("checksums", checks);
    for (int i = 0; i < good.size(); i++) {
      if (!good.get(i)) {
        System.err.println(
            "warning: "
                + output.uri()
                + "/"
                + checked.get(i).task().file()
                + ": found other bytes than an interrupted run wrote; it is made again");
        steps.store().delete(checked.get(i).part());
      }
    }
  }
}
