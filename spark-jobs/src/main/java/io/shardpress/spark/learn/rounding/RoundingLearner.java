package io.shardpress.spark.learn.rounding;

import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.RoundingSettings;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.LinearStatistics;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.WeightError;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.FusedLinears;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Quantizes without data: every tile of every tensor at once. */
public final class RoundingLearner {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(
          RoundStep.class,
          FloatStep.class,
          OutlierStep.class,
          SummaryStep.class,
          RoundedRows.class,
          RangeCheck.class);

  private CompressionPlan plan;
  private final StepRunner runner;
  private final Progress progress;
  private final Map<String, List<PlanEntry>> joined;
  private StepRunner.Ran learners = StepRunner.Ran.NOTHING;
  private Map<String, LinearStatistics> statistics = Map.of();

  public RoundingLearner(CompressionPlan plan, StepRunner runner, Progress progress) {
    this.plan = plan;
    this.runner = runner;
    this.progress = progress;
    // Runtimes join these, and where a weight has a scale as a whole they then have one.
    this.joined =
        plan.quantized().values().stream()
            .collect(Collectors.groupingBy(entry -> FusedLinears.joined(entry.module())));
  }

  public StepRunner.Ran learners() {
    return learners;
  }

  /** The plan, once it has run with the outliers that there are. */
  public CompressionPlan plan() {
    return plan;
  }

  /** What was noted of each module, once it has run. */
  public Map<String, LinearStatistics> statistics() {
    return statistics;
  }

  /** All parts that stay in the store, there or not. */
  public List<PartKey> parts() {
    List<PartKey> parts = new ArrayList<>();
    partsByModule().values().forEach(parts::addAll);
    summaries().forEach(unit -> parts.add(unit.part()));
    return parts;
  }

  /** The parts of each module's tiles, in the order of the tiles. */
  public Map<String, List<PartKey>> partsByModule() {
    Map<String, List<PartKey>> parts = new TreeMap<>(RoundingLearner::byNumber);
    for (PlanEntry entry : plan.quantized().values()) {
      List<PartKey> tiles = new ArrayList<>();
      units(entry).forEach(unit -> tiles.addAll(unit.parts()));
      parts.put(entry.module(), tiles);
    }
    return parts;
  }

  private List<Step> units(PlanEntry entry) {
    List<Step> units = new ArrayList<>();
    WeightScheme scheme = entry.choice().group().weights();
    List<SummaryStep> whole = new ArrayList<>();
    sharing(entry).forEach(other -> whole.addAll(summaries(other)));
    for (RowTile tile : RowTile.of(entry.out(), entry.in())) {
      if (scheme.floating() || scheme.form() == WeightForm.INT_TENSOR) {
        units.add(floating(entry, tile, whole));
      } else {
        units.add(scheme.outliers() ? keeping(entry, tile, whole) : unit(entry, tile));
      }
    }
    return units;
  }

  /** The weights whose statistics a weight needs: its own, or of all that share one scale. */
  private List<PlanEntry> sharing(PlanEntry entry) {
    WeightScheme scheme = entry.choice().group().weights();
    if (scheme.form() == WeightForm.FP8_TENSOR || scheme.form() == WeightForm.NVFP4) {
      return joined.get(FusedLinears.joined(entry.module()));
    }
    boolean whole = scheme.outliers() || scheme.form() == WeightForm.INT_TENSOR;
    return whole ? List.of(entry) : List.of();
  }

  private List<SummaryStep> summaries() {
    return plan.quantized().values().stream()
        .filter(entry -> !sharing(entry).isEmpty())
        .flatMap(entry -> summaries(entry).stream())
        .toList();
  }

  /** What is quantized in the end, by module. */
  public Map<String, LearnedLinear> learned() {
    Map<String, LearnedLinear> learned = new HashMap<>();
    Map<String, PlanEntry> entries = plan.quantized();
    partsByModule()
        .forEach(
            (module, tiles) -> {
              PlanEntry entry = entries.get(module);
              WeightScheme scheme = entry.choice().group().weights();
              learned.put(
                  module, new LearnedLinear(module, entry.out(), entry.in(), scheme, tiles));
            });
    return learned;
  }

  /** Quantizes, and gives what was quantized, by module. */
  public Map<String, LearnedLinear> run() {
    List<Step> units = new ArrayList<>();
    Map<String, LearnedLinear> learned = learned();
    Map<String, List<PlanEntry>> blocks = blocks(plan);
    for (PlanEntry entry : plan.quantized().values()) {
      units.addAll(units(entry));
    }
    List<Step> missing = runner.missing(units);
    progress.found("tiles", units.size() - missing.size(), units.size());
    progress.begin(blocks.size());
    if (!missing.isEmpty()) {
      learners = runner.run("statistics of weights", Where.MODEL, summaries());
    }
    learners = learners.plus(runner.run("round to nearest", Where.MODEL, missing, units.size()));
    statistics = LinearStatistics.read(runner.store(), learned.values());
    countOutliers(learned, blocks);
    report(blocks, statistics, progress);
    progress.end();
    return learned;
  }

  /** Puts the counts in place of the plan's estimate. */
  private void countOutliers(
      Map<String, LearnedLinear> learned, Map<String, List<PlanEntry>> blocks) {
    Map<String, Integer> counts = new HashMap<>();
    learned.forEach(
        (module, linear) -> {
          if (linear.scheme().outliers()) {
            counts.put(module, statistics.get(module).outliers());
          }
        });
    plan = plan.withOutliers(counts);
    Map<String, PlanEntry> counted = plan.quantized();
    blocks.values().forEach(all -> all.replaceAll(entry -> counted.get(entry.module())));
  }

  private List<SummaryStep> summaries(PlanEntry entry) {
    List<SummaryStep> units = new ArrayList<>();
    for (RowTile tile : RowTile.of(entry.out(), entry.in())) {
      units.add(new SummaryStep(entry.source(), tile));
    }
    return units;
  }

  private OutlierStep keeping(PlanEntry entry, RowTile tile, List<SummaryStep> whole) {
    WeightScheme scheme = entry.choice().group().weights();
    return new OutlierStep(
        runner.arithmetic(),
        whole.stream().map(SummaryStep::part).toList(),
        entry.module(),
        entry.source(),
        tile,
        scheme,
        plan.scaleFormat());
  }

  private FloatStep floating(PlanEntry entry, RowTile tile, List<SummaryStep> whole) {
    WeightScheme scheme = entry.choice().group().weights();
    List<PartKey> summaries = whole.stream().map(SummaryStep::part).toList();
    return new FloatStep(
        runner.arithmetic(),
        summaries,
        entry.module(),
        entry.source(),
        tile,
        scheme,
        plan.scaleFormat());
  }

  private RoundStep unit(PlanEntry entry, RowTile tile) {
    WeightScheme scheme = entry.choice().group().weights();
    return new RoundStep(
        runner.arithmetic(),
        entry.module(),
        entry.source(),
        tile,
        scheme,
        plan.scaleFormat(),
        rule(entry));
  }

  /** The rule by which the steps of integers are chosen. */
  private static StepRules rule(PlanEntry entry) {
    Modifier modifier = entry.choice().modifier();
    return modifier.kind() == ModifierKind.EASY_QUANT
        ? StepRules.FIXED_POINT
        : StepRules.named(RoundingSettings.of(modifier).stepSearch());
  }

  /** Whether all that a plan quantizes can be rounded row by row, with no statistics before. */
  public static boolean roundsRows(CompressionPlan plan) {
    return plan.entries().stream().allMatch(entry -> entry.tensor().stored() == null)
        && plan.quantized().values().stream()
            .allMatch(entry -> RowRounding.takes(entry.choice().group().weights()));
  }

  /** What is rounded while it is published, by module: nothing is computed now. */
  public static Map<String, RoundedRows> rows(CompressionPlan plan) {
    Map<String, RoundedRows> rows = new HashMap<>();
    plan.quantized()
        .forEach(
            (module, entry) -> {
              WeightScheme scheme = entry.choice().group().weights();
              RowRounding rounding =
                  new RowRounding(entry.source(), scheme, plan.scaleFormat(), rule(entry), 0);
              rows.put(module, new RoundedRows(module, rounding));
            });
    return rows;
  }

  /**
   * Says of each block how large the error of its weights is.
   *
   * @param statistics by module
   */
  public static void report(
      CompressionPlan plan, Map<String, LinearStatistics> statistics, Progress progress) {
    Map<String, List<PlanEntry>> blocks = blocks(plan);
    progress.begin(blocks.size());
    report(blocks, statistics, progress);
    progress.end();
  }

  private static void report(
      Map<String, List<PlanEntry>> blocks,
      Map<String, LinearStatistics> statistics,
      Progress progress) {
    blocks.forEach(
        (name, entries) -> {
          WeightError error = WeightError.NONE;
          for (PlanEntry entry : entries) {
            error = error.plus(statistics.get(entry.module()).error());
          }
          progress.done(name, PlanEntry.bits(entries), error.relative());
        });
  }

  /** What is quantized of each block, in the order of blocks. */
  private static Map<String, List<PlanEntry>> blocks(CompressionPlan plan) {
    Map<String, List<PlanEntry>> blocks = new TreeMap<>(RoundingLearner::byNumber);
    for (PlanEntry entry : plan.quantized().values()) {
      blocks.computeIfAbsent(block(entry), name -> new ArrayList<>()).add(entry);
    }
    return blocks;
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
