package io.shardpress.spark.job;

import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.output.dense.DecompressionPlan;
import io.shardpress.spark.output.dense.DequantizeStep;
import io.shardpress.spark.store.PartKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Turns a quantized checkpoint into a dense one: digests, rows of weights as parts. */
public final class DecompressJob implements Job {
  private final DecompressionPlan plan;
  private final Publication publication;

  public DecompressJob(DecompressionPlan plan, Publication publication) {
    this.plan = plan;
    this.publication = publication;
  }

  @Override
  public String id() {
    PartKey.Builder key =
        PartKey.of("decompress")
            .add("dtype", plan.dtype())
            .add("config", new String(plan.checkpoint().configJson(), StandardCharsets.UTF_8));
    for (TensorRef weight : plan.weights()) {
      key.add(weight.tensor(), weight.stored().form());
    }
    for (CheckpointFile file : plan.checkpoint().files()) {
      key.add(file.uri(), file.length() + " " + file.modificationTime());
    }
    return key.build().hex();
  }

  @Override
  public String model() {
    return plan.checkpoint().uri();
  }

  @Override
  public String digest() {
    return PartKey.of("decompress").add("dtype", plan.dtype()).build().hex();
  }

  @Override
  public Outcome run(JobContext context) {
    Map<String, TensorRef> contents = context.contents(plan.checkpoint());
    List<DequantizeStep> steps = new ArrayList<>();
    Map<String, List<PartKey>> rows = new HashMap<>();
    for (TensorRef weight : plan.weights()) {
      List<PartKey> parts = new ArrayList<>();
      for (RowTile tile : RowTile.of(weight)) {
        DequantizeStep step = new DequantizeStep(contents.get(weight.tensor()), tile);
        parts.add(step.part());
        steps.add(step);
      }
      rows.put(weight.tensor(), parts);
    }
    context.uses(steps.stream().map(DequantizeStep::part).toList());
    context.steps().run("dequantize", Where.MODEL, steps);
    return new Outcome(
        InputTensor.of(plan.entries()),
        List.of(publication),
        new Results(Map.of(), Map.of(), rows),
        Map.of(),
        Map.of());
  }
}
