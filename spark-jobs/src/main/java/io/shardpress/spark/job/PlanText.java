package io.shardpress.spark.job;

import io.shardpress.schemas.recipe.LrqModifier;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** A plan for people: tensors that differ in their block's number alone share a line. */
final class PlanText {
  private PlanText() {}

  static String of(CompressionPlan plan) {
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
            plan.shards().size()));
    Map<String, Integer> lines = new LinkedHashMap<>();
    for (PlanEntry entry : plan.entries()) {
      lines.merge(line(entry), 1, Integer::sum);
    }
    lines.forEach(
        (line, count) -> text.append(String.format(Locale.ROOT, "%6d x %s%n", count, line)));
    return text.toString();
  }

  private static String line(PlanEntry entry) {
    String name = entry.tensor().tensor().replaceAll("\\.\\d+\\.", ".*.");
    String what =
        switch (entry.action()) {
          case QUANTIZE -> quantized(entry);
          case COPY -> "copy (" + entry.reason() + ")";
          case DROP -> "drop (" + entry.reason() + ")";
        };
    return "%s %s %s  %s".formatted(name, entry.tensor().dtype(), entry.tensor().shape(), what);
  }

  private static String quantized(PlanEntry entry) {
    WeightScheme scheme = entry.choice().group().weights();
    String text =
        entry.choice().modifier().kind().algorithm()
            + " "
            + scheme.name()
            + (scheme.perChannel() ? " per channel" : " group " + scheme.groupSize());
    return entry.choice().modifier() instanceof LrqModifier lrq
        ? text + " rank " + lrq.rank(entry.out(), entry.in())
        : text;
  }
}
