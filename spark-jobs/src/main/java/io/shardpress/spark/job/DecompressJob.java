package io.shardpress.spark.job;

import io.shardpress.schemas.output.Manifest;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.Mend;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.StepCounts;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.dense.DecompressionPlan;
import io.shardpress.spark.output.dense.DensePublisher;
import io.shardpress.spark.output.dense.DequantizeStep;
import io.shardpress.spark.store.PartException;
import io.shardpress.spark.store.PartKey;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaSparkContext;

/** Turns a quantized checkpoint into a dense one: digests, rows of weights as parts, publishing. */
public final class DecompressJob {
  private final DecompressionPlan plan;
  private final OutputFolder output;
  private final Instant start = Instant.now();
  private StepRunner runner;

  public DecompressJob(DecompressionPlan plan, OutputFolder output) {
    this.plan = plan;
    this.output = output;
  }

  /** Names the run: the same model files, config and dtype give the same id. */
  private PartKey runId() {
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
    return key.build();
  }

  /**
   * Takes the output folder, before Spark is there.
   *
   * @return whether there is something to go on from
   */
  public boolean claim(boolean overwrite) {
    return output.claim(runId().hex(), overwrite);
  }

  /** Runs, and says what was published. */
  public Manifest run(JavaSparkContext spark) {
    RunSettings settings =
        RunSettings.ofThisProcess(runId().hex(), output.uri() + "/" + OutputFolder.WORK);
    runner = new StepRunner(spark, settings, output::requireOwner);
    Mend mend = new Mend(runner);
    while (true) {
      try {
        return runOnce(spark, mend);
      } catch (PartException e) {
        mend.discard(e.faults());
      }
    }
  }

  private Manifest runOnce(JavaSparkContext spark, Mend mend) {
    Digests digests = Digests.of(plan.checkpoint(), runner);
    List<DequantizeStep> units = new ArrayList<>();
    Map<String, List<PartKey>> tiles = new HashMap<>();
    for (TensorRef weight : plan.weights()) {
      List<PartKey> parts = new ArrayList<>();
      for (RowTile tile : RowTile.of(weight)) {
        PartKey key =
            PartKey.of("dequantize")
                .add("name", weight.tensor())
                .add("weight", digests.of(weight))
                .add("tile", tile)
                .build();
        parts.add(key);
        units.add(new DequantizeStep(key, weight, tile));
      }
      tiles.put(weight.tensor(), parts);
    }
    mend.check(units.stream().map(DequantizeStep::part).toList());
    runner.run("dequantize", Where.MODEL, units);
    Manifest manifest =
        new DensePublisher(plan, tiles, output)
            .publish(
                tasks -> runner.call("publish", tasks),
                BuildVersion.text(),
                facts(spark),
                PartKey.of("decompress").add("dtype", plan.dtype()).build().hex());
    output.removeWork();
    return manifest;
  }

  /** How many units of which steps ran, and how many were in the part store. */
  public String steps() {
    return StepCounts.line(runner.steps());
  }

  private Map<String, String> facts(JavaSparkContext spark) {
    Map<String, String> facts = new TreeMap<>();
    facts.put("model", plan.checkpoint().uri());
    facts.put("output", output.uri());
    facts.put("started", start.toString());
    facts.put("ended", Instant.now().toString());
    facts.put("spark", spark.version());
    facts.put("java", Runtime.version().toString());
    facts.put("master", spark.master());
    return facts;
  }
}
