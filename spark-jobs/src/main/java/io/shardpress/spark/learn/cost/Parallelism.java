package io.shardpress.spark.learn.cost;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.CoupledSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.ScaleSettings;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.learn.coupled.SiteRows;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How many tasks a run can use side by side, step by step: what more executors would be for.
 *
 * @param lines one for each kind of step
 * @param warning where a step that takes most of the time has one task at a time; null: none
 */
public record Parallelism(List<String> lines, String warning) {
  /**
   * @param windows of the calibration text, at most
   * @param window tokens of one
   */
  public static Parallelism of(CompressionPlan plan, int windows, int window) {
    List<String> lines = new ArrayList<>();
    int partitions = SamplePartition.of(windows, window).size();
    int blocks = plan.config().layers();
    for (Modifier transform : plan.recipe().transforms()) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%s: inputs of each block %d tasks, then %d for all blocks",
              transform.kind().algorithm(),
              partitions,
              blocks));
    }
    Modifier learner = plan.learner();
    if (!learner.kind().learnsFromActivations()) {
      int tiles =
          plan.quantized().values().stream()
              .mapToInt(entry -> RowTile.of(entry.out(), entry.in()).size())
              .sum();
      lines.add(String.format(Locale.ROOT, "rounding: %d tasks for all tensors", tiles));
      tuning(plan, windows, window, lines);
      return new Parallelism(List.copyOf(lines), null);
    }
    if (learner.kind() == ModifierKind.COUPLED) {
      coupling(plan, CoupledSettings.of(learner), partitions, lines);
    }
    if (learner.solvesByGptq()) {
      lines.add(
          String.format(
              Locale.ROOT,
              "gptq, in each block: statistics %d tasks, factors 1, solves %s",
              partitions,
              solves(plan)));
    }
    ScaleSettings scales = ScaleSettings.of(learner);
    if (scales.iterations() > 0) {
      lines.add(
          String.format(
              Locale.ROOT,
              "steps on scales, in each block: %d times %d tasks",
              scales.iterations(),
              scales.tasks(partitions)));
    }
    String warning = null;
    if (learner.learnsByBlocks()) {
      BlockwiseSettings course = BlockwiseSettings.of(learner);
      String name = learner.kind().algorithm();
      if (course.order() == BlockwiseSettings.Order.PARALLEL) {
        lines.add(String.format(Locale.ROOT, "%s: %d tasks, one for each block", name, blocks));
        if (course.touchUp() > 0) {
          lines.add("%s in order: 1 task".formatted(name));
        }
      } else if (plan.config().experts() != null) {
        lines.add(
            String.format(
                Locale.ROOT,
                "%s, block after block: 1 task for attention, then %d for experts",
                name,
                plan.config().experts().count()));
      } else {
        lines.add("%s: 1 task, block after block".formatted(name));
        warning =
            String.format(
                Locale.ROOT,
                "%s learns block after block, one task at a time: only one executor has work then; order: parallel can use %d, and GPTQModifier %d in a stage",
                name,
                blocks,
                partitions);
      }
    }
    tuning(plan, windows, window, lines);
    return new Parallelism(List.copyOf(lines), warning);
  }

  private static void coupling(
      CompressionPlan plan, CoupledSettings settings, int partitions, List<String> lines) {
    int blocks = plan.config().layers();
    List<SiteRows> sites = SiteRows.of(BlockShape.of(plan.config(), blocks - 1));
    lines.add(
        String.format(
            Locale.ROOT,
            "coupled, once: each block forward %d tasks, back %d, row factors %d; %d in order",
            partitions,
            partitions * settings.draws(),
            sites.size(),
            3 * blocks + 1));
    Map<Stage, Integer> tasks = new EnumMap<>(Stage.class);
    sites.forEach(site -> tasks.merge(site.site(), site.steps(), Integer::sum));
    lines.add(
        String.format(
            Locale.ROOT,
            "coupled, in each block: descents %s; with gptq before them %d in order",
            tasks.entrySet().stream()
                .map(each -> name(each.getKey()) + " " + each.getValue())
                .collect(Collectors.joining(", ")),
            blocks * (4 * Stage.values().length + 1)));
  }

  private static void tuning(CompressionPlan plan, int windows, int window, List<String> lines) {
    plan.recipe()
        .tuning()
        .ifPresent(
            settings -> {
              TuningEstimate estimate = TuningEstimate.of(plan, settings, windows, window);
              lines.add(
                  String.format(
                      Locale.ROOT,
                      "end to end: %d times %d tasks, then %d; %d in order; %d numbers learned, %.1f"
                          + " MB through the store a step",
                      settings.iterations(),
                      estimate.tasks(),
                      plan.config().layers() + 1,
                      2 * settings.iterations(),
                      estimate.numbers(),
                      estimate.bytesAStep() / 1e6));
            });
  }

  private static String name(Stage stage) {
    return stage.name().toLowerCase(Locale.ROOT).replace('_', ',');
  }

  /** Tasks of each stage's solves, of a block that has all its linears quantized. */
  private static String solves(CompressionPlan plan) {
    List<String> each = new ArrayList<>();
    for (Stage stage : Stage.values()) {
      int tasks = 0;
      for (LinearRole role : plan.config().linears(plan.config().layers() - 1)) {
        if (Stage.of(role) == stage) {
          tasks += RowTile.of(role.out(plan.config()), role.in(plan.config())).size();
        }
      }
      each.add(name(stage) + " " + tasks);
    }
    return String.join(", ", each);
  }
}
