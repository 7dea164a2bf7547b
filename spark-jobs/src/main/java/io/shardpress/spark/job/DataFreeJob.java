package io.shardpress.spark.job;

import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.RoundingSettings;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.unit.LearnedLinear;
import io.shardpress.spark.unit.LearnedLinear.WeightError;
import io.shardpress.spark.unit.RoundUnit;
import io.shardpress.spark.unit.RowTile;
import io.shardpress.spark.unit.StepRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Quantizes without data: every tile of every tensor at once. */
final class DataFreeJob {
  private final CompressionPlan plan;
  private final TaskRunner runner;
  private final Digests digests;
  private final Progress progress;
  private TaskRunner.Ran learners = TaskRunner.Ran.NOTHING;

  DataFreeJob(CompressionPlan plan, TaskRunner runner, Digests digests, Progress progress) {
    this.plan = plan;
    this.runner = runner;
    this.digests = digests;
    this.progress = progress;
  }

  TaskRunner.Ran learners() {
    return learners;
  }

  /** What was quantized, by module. */
  Map<String, LearnedLinear> run() {
    List<RoundUnit> units = new ArrayList<>();
    Map<String, LearnedLinear> learned = new HashMap<>();
    Map<String, List<PlanEntry>> blocks = new TreeMap<>(DataFreeJob::byNumber);
    for (PlanEntry entry : plan.quantized().values()) {
      List<PartKey> tiles = new ArrayList<>();
      for (RowTile tile : RowTile.of(entry.out(), entry.in())) {
        RoundUnit unit = unit(entry, tile);
        units.add(unit);
        tiles.add(unit.part());
      }
      WeightScheme scheme = entry.choice().group().weights();
      learned.put(
          entry.module(),
          new LearnedLinear(entry.module(), entry.out(), entry.in(), scheme, tiles));
      blocks.computeIfAbsent(block(entry), name -> new ArrayList<>()).add(entry);
    }
    List<RoundUnit> missing = runner.missing(units);
    progress.found("tiles", units.size() - missing.size(), units.size());
    progress.begin(blocks.size());
    learners = runner.run("round to nearest", "", missing, units.size());
    blocks.forEach((name, entries) -> report(name, entries, learned));
    progress.end();
    return learned;
  }

  private RoundUnit unit(PlanEntry entry, RowTile tile) {
    WeightScheme scheme = entry.choice().group().weights();
    Modifier modifier = entry.choice().modifier();
    StepRules steps =
        modifier.kind() == ModifierKind.EASY_QUANT
            ? StepRules.FIXED_POINT
            : StepRules.named(RoundingSettings.of(modifier).stepSearch());
    PartKey key =
        PartKey.of("round to nearest")
            .add("arithmetic", runner.arithmetic())
            .add("module", entry.module())
            .add("weight", digests.of(entry.source()))
            .add("tile", tile)
            .add("scheme", scheme)
            .add("format", plan.scaleFormat())
            .add("steps", steps)
            .build();
    return new RoundUnit(
        key, entry.module(), entry.source(), tile, scheme, plan.scaleFormat(), steps);
  }

  private void report(String name, List<PlanEntry> entries, Map<String, LearnedLinear> learned) {
    double error = 0;
    double weights = 0;
    for (PlanEntry entry : entries) {
      WeightError one = learned.get(entry.module()).readError(runner.store());
      error += one.error();
      weights += one.weights();
    }
    progress.done(name, CalibratedJob.bits(entries), new WeightError(error, weights).relative());
  }

  /** The block's name, or the tensor's own outside blocks. */
  private static String block(PlanEntry entry) {
    TensorPlace place = TensorPlace.of(entry.tensor().tensor());
    if (place.layer().isEmpty()) {
      return entry.module();
    }
    String number = "." + place.layer().getAsInt() + ".";
    return entry.module().substring(0, entry.module().indexOf(number) + number.length() - 1);
  }

  /** Names in the order of the numbers in them. */
  private static int byNumber(String a, String b) {
    String padded = a.replaceAll("(\\d+)", "0000000$1").replaceAll("0*(\\d{8})", "$1");
    String other = b.replaceAll("(\\d+)", "0000000$1").replaceAll("0*(\\d{8})", "$1");
    int order = padded.compareTo(other);
    return order != 0 ? order : a.compareTo(b);
  }
}
