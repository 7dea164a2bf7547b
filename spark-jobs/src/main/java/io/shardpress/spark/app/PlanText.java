package io.shardpress.spark.app;

import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.app.options.TextSettings;
import io.shardpress.spark.job.PlannedCompression;
import io.shardpress.spark.learn.cost.Estimate;
import io.shardpress.spark.learn.cost.Parallelism;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A plan for people: tensors that differ in their block's number alone share a line. */
final class PlanText {
  private PlanText() {}

  /**
   * @param calibration says how many windows a calibrated run would use at most
   */
  static String of(PlannedCompression planned, TextSettings calibration) {
    CompressionPlan plan = planned.plan();
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s: %s, %d blocks, %d tensors in %d files, %.1f MB -> %.1f MB in %d files%n",
            plan.checkpoint().uri(),
            plan.config().modelType(),
            plan.config().layers(),
            plan.entries().size(),
            plan.checkpoint().files().size(),
            plan.inputBytes() / 1e6,
            planned.outputBytes() / 1e6,
            planned.outputFiles()));
    text.append(estimate(plan, calibration));
    int window = calibration.sequenceLength(plan.config().maxPositionEmbeddings());
    for (String line : Parallelism.of(plan, calibration.samples(), window).lines()) {
      text.append("side by side: ").append(line).append(System.lineSeparator());
    }
    plan.recipe()
        .kvCache()
        .ifPresent(
            cache ->
                text.append("cache of keys and values: 8 bits, ")
                    .append(cache.type())
                    .append('\n'));
    for (Publication publication : planned.publications()) {
      publication.summary().forEach(line -> text.append(line).append(System.lineSeparator()));
    }
    List<Map<String, String>> types =
        planned.publications().stream()
            .map(Publication::types)
            .filter(one -> !one.isEmpty())
            .toList();
    Map<String, Integer> lines = new LinkedHashMap<>();
    for (PlanEntry entry : plan.entries()) {
      StringBuilder line = new StringBuilder(line(entry));
      for (Map<String, String> one : types) {
        line.append(", ").append(one.get(entry.tensor().tensor()));
      }
      lines.merge(line.toString(), 1, Integer::sum);
    }
    lines.forEach(
        (line, count) -> text.append(String.format(Locale.ROOT, "%6d x %s%n", count, line)));
    return text.toString();
  }

  private static String estimate(CompressionPlan plan, TextSettings calibration) {
    if (!plan.recipe().quantizesWeights()) {
      return "scales of keys and values are measured, weights stay as they are%n".formatted();
    }
    if (!plan.recipe().calibrated()) {
      double bytes = Estimate.ofRounding(plan.quantized().values()).taskBytes();
      return String.format(Locale.ROOT, "%.0f MB in the largest task%n", bytes / 1e6);
    }
    int window = calibration.sequenceLength(plan.config().maxPositionEmbeddings());
    Modifier modifier = plan.learner();
    Estimate estimate = Estimate.of(plan.config(), modifier, calibration.samples(), window);
    return String.format(
        Locale.ROOT,
        "at most %d windows of %d tokens, %.2f Tflop, %.0f MB in the largest task%n",
        calibration.samples(),
        window,
        estimate.flops() / 1e12,
        estimate.taskBytes() / 1e6);
  }

  private static String line(PlanEntry entry) {
    String name = entry.tensor().tensor().replaceAll("\\.\\d+\\.", ".*.");
    String what =
        switch (entry.action()) {
          case QUANTIZE -> quantized(entry);
          case COPY -> "copy (" + entry.reason() + ")";
          case DROP -> "drop (" + entry.reason() + ")";
        };
    String stored =
        entry.tensor().stored() == null
            ? ""
            : " (dequantized on read from " + entry.tensor().stored().form() + ")";
    return "%s %s %s%s  %s"
        .formatted(name, entry.tensor().dtype(), entry.tensor().shape(), stored, what);
  }

  private static String quantized(PlanEntry entry) {
    WeightScheme scheme = entry.choice().group().weights();
    String text =
        entry.choice().modifier().kind().algorithm()
            + " "
            + entry.choice().group().schemeName()
            + " "
            + scheme.sharing()
            + (scheme.outliers() ? " outliers kept" : "")
            + (scheme.order() == ActOrder.NONE ? "" : " actorder " + scheme.order().word());
    Modifier modifier = entry.choice().modifier();
    return modifier.kind() == ModifierKind.LRQ
        ? text + " rank " + LrqSettings.of(modifier).rank(entry.out(), entry.in())
        : text;
  }
}
