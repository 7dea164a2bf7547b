package io.shardpress.spark.job;

import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.spark.output.CardEntry;
import io.shardpress.spark.output.Publication;
import io.shardpress.spark.plan.CompressionPlan;
import java.util.List;
import java.util.Locale;

/** The README.md of a compressed checkpoint: what it is, how it was made, how to load it. */
final class ModelCard {
  private ModelCard() {}

  static String of(CompressionPlan plan, List<Publication> publications) {
    StringBuilder card = new StringBuilder("---\n");
    List<CardEntry> entries = publications.stream().map(Publication::card).toList();
    entries.stream()
        .flatMap(entry -> entry.library().stream())
        .findFirst()
        .ifPresent(library -> card.append("library_name: ").append(library).append('\n'));
    card.append("tags:\n");
    entries.forEach(
        entry -> entry.tags().forEach(tag -> card.append("- ").append(tag).append('\n')));
    card.append("- shardpress\n---\n");
    card.append("# Compressed ").append(plan.config().modelType()).append(" checkpoint\n\n");
    card.append(
        String.format(
            Locale.ROOT,
            "%d of %d tensors quantized, %s in place of %.1f MB.\n\n",
            plan.quantized().size(),
            plan.entries().size(),
            sizes(publications),
            plan.inputBytes() / 1e6));
    card.append("| algorithm | scheme | targets |\n|---|---|---|\n");
    for (Modifier modifier : plan.recipe().modifiers()) {
      for (SchemeGroup group : modifier.groups()) {
        card.append("| ").append(modifier.kind().algorithm()).append(" | ").append(scheme(group));
        card.append(" | ").append(String.join(", ", group.targets())).append(" |\n");
      }
    }
    plan.recipe()
        .kvCache()
        .ifPresent(
            cache ->
                card.append("\nKeys and values are meant for a cache of 8 bits, type ")
                    .append(cache.type())
                    .append(", by the scales in the checkpoint.\n"));
    card.append("\nThe whole recipe is in `recipe.yaml`, the account of every tensor in ");
    card.append("`shardpress.json`; `shardpress verify` checks the files against it.\n\n");
    // What stands beside the main format is told first: it is shorter.
    for (int i = entries.size() - 1; i >= 0; i--) {
      card.append(entries.get(i).usage());
    }
    return card.toString();
  }

  private static String sizes(List<Publication> publications) {
    StringBuilder sizes = new StringBuilder();
    for (Publication publication : publications) {
      double megabytes = publication.bytes() / 1e6;
      sizes.append(
          sizes.isEmpty()
              ? String.format(Locale.ROOT, "%.1f MB of weights", megabytes)
              : String.format(
                  Locale.ROOT, ", or %.1f MB%s,", megabytes, publication.card().sizeNote()));
    }
    return sizes.toString();
  }

  private static String scheme(SchemeGroup group) {
    return group.schemeName()
        + " "
        + group
            .weights()
            .sharing()
            .replace("group ", "in groups of ")
            .replace("block", "in blocks of")
        + (group.weights().outliers() ? ", outliers kept" : "")
        + (group.weights().order() == ActOrder.NONE
            ? ""
            : ", actorder " + group.weights().order().word());
  }
}
