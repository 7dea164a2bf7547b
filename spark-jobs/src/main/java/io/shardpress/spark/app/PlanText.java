package io.shardpress.spark.app;

import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.LrqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.app.options.TextSettings;
import io.shardpress.spark.learn.cost.Estimate;
import io.shardpress.spark.learn.cost.Parallelism;
import io.shardpress.spark.output.gguf.GgufFile;
import io.shardpress.spark.output.gguf.GgufPlan;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A plan for people: tensors that differ in their block's number alone share a line. */
final class PlanText {
  private PlanText() {}

  /**
   * @param calibration says how many windows a calibrated run would use at most
   */
  static String of(CompressionPlan plan, TextSettings calibration) {
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
            plan.outputBytes() / 1e6,
            plan.outputFiles()));
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
    if (plan.gguf() != null) {
      text.append(gguf(plan.gguf()));
    }
    Map<String, Integer> lines = new LinkedHashMap<>();
    Map<String, GgufType> types = plan.gguf() == null ? Map.of() : plan.gguf().types();
    for (PlanEntry entry : plan.entries()) {
      String line = line(entry);
      if (plan.gguf() != null) {
        GgufType type = types.get(entry.tensor().tensor());
        line += type == null ? ", not in GGUF" : ", " + type + " in GGUF";
      }
      lines.merge(line, 1, Integer::sum);
    }
    lines.forEach(
        (line, count) -> text.append(String.format(Locale.ROOT, "%6d x %s%n", count, line)));
    return text.toString();
  }

  private static String gguf(GgufPlan gguf) {
    Map<GgufType, Integer> types = new EnumMap<>(GgufType.class);
    gguf.files()
        .forEach(
            file -> file.items().forEach(one -> types.merge(one.tensor().type(), 1, Integer::sum)));
    String counts =
        types.entrySet().stream()
            .map(one -> one.getValue() + " " + one.getKey())
            .collect(Collectors.joining(", "));
    return "gguf: %s, tensors: %s%n"
        .formatted(
            gguf.files().stream().map(GgufFile::file).collect(Collectors.joining(", ")), counts);
  }

  private static String estimate(CompressionPlan plan, TextSettings calibration) {
    if (!plan.recipe().calibrated()) {
      double bytes = Estimate.ofRounding(plan.quantized().values()).taskBytes();
      return String.format(Locale.ROOT, "%.0f MB in the largest task%n", bytes / 1e6);
    }
    int window = calibration.sequenceLength(plan.config().maxPositionEmbeddings());
    Modifier modifier = plan.quantized().values().iterator().next().choice().modifier();
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
