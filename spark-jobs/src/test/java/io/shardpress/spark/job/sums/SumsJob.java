package io.shardpress.spark.job.sums;

import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.job.InputTensor;
import io.shardpress.spark.job.Job;
import io.shardpress.spark.job.JobContext;
import io.shardpress.spark.job.Outcome;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.store.PartKey;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Copies a checkpoint and puts the sums of its tensors beside it. */
record SumsJob(Checkpoint checkpoint) implements Job {
  @Override
  public String id() {
    return PartKey.of("sums").add("model", checkpoint.uri()).build().hex();
  }

  @Override
  public String model() {
    return checkpoint.uri();
  }

  @Override
  public String digest() {
    return PartKey.of("sums").build().hex();
  }

  @Override
  public Outcome run(JobContext context) {
    Map<String, TensorRef> contents = context.contents(checkpoint);
    Map<String, List<PartKey>> rows = new TreeMap<>();
    List<SumStep> steps = contents.values().stream().map(SumStep::new).toList();
    steps.forEach(step -> rows.put(step.tensor().tensor() + ".sum", step.parts()));
    context.uses(steps.stream().map(SumStep::part).toList());
    context.steps().run("sums", Where.MODEL, steps);
    return new Outcome(
        checkpoint.tensors().stream().map(t -> new InputTensor(t, Action.COPY, "")).toList(),
        List.of(new CopiedModel(checkpoint), new Sums(checkpoint)),
        new Results(Map.of(), Map.of(), rows),
        Map.of(),
        Map.of());
  }
}
