package io.shardpress.spark.output.compressedtensors;

import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.output.LinearFormat;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.spark.plan.CompressionPlan;
import java.util.Locale;
import java.util.stream.Collectors;

/** The README.md of a compressed checkpoint: what it is, how it was made, how to load it. */
final class ModelCard {
  private ModelCard() {}

  static String of(CompressionPlan plan) {
    StringBuilder card = new StringBuilder();
    boolean safetensors = !plan.shards().isEmpty();
    card.append(
        safetensors
            ? "---\nlibrary_name: transformers\ntags:\n- compressed-tensors\n"
            : "---\ntags:\n");
    card.append(plan.gguf() == null ? "" : "- gguf\n").append("- shardpress\n---\n");
    card.append("# Compressed ").append(plan.config().modelType()).append(" checkpoint\n\n");
    card.append(
        String.format(
            Locale.ROOT,
            "%d of %d tensors quantized, %s in place of %.1f MB.\n\n",
            plan.quantized().size(),
            plan.entries().size(),
            sizes(plan),
            plan.inputBytes() / 1e6));
    card.append("| algorithm | scheme | targets |\n|---|---|---|\n");
    for (Modifier modifier : plan.recipe().modifiers()) {
      for (SchemeGroup group : modifier.groups()) {
        card.append(
            "| %s | %s | %s |\n"
                .formatted(
                    modifier.kind().algorithm(),
                    scheme(group),
                    String.join(", ", group.targets())));
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
    if (plan.gguf() != null) {
      card.append("For llama.cpp: `llama-cli -m ").append(plan.gguf().files().get(0).file());
      card.append("`. Integers and scales are the learned ones, not rounded again");
      card.append(
          plan.gguf().types().containsValue(GgufType.Q4_1)
              ? "; `report/gguf.jsonl` says what Q4_1's minimums cost.\n\n"
              : ".\n\n");
    }
    if (!safetensors) {
      return card.toString();
    }
    card.append("The format is compressed-tensors (").append(formats(plan));
    if (plan.quantized().values().stream()
        .anyMatch(entry -> entry.choice().group().weights().outliers())) {
      return card.append(
              ") with outliers beside the integers, which neither vLLM nor Transformers loads:"
                  + " `shardpress evaluate` does.\n")
          .toString();
    }
    card.append("). To serve it: ");
    card.append("`vllm serve FOLDER`; in Python: ");
    card.append("`AutoModelForCausalLM.from_pretrained(\"FOLDER\")`.\n");
    return card.toString();
  }

  private static String sizes(CompressionPlan plan) {
    String weights = String.format(Locale.ROOT, "%.1f MB of weights", plan.outputBytes() / 1e6);
    if (plan.gguf() == null || plan.shards().isEmpty()) {
      return weights;
    }
    double gguf = plan.gguf().bytes() / 1e6;
    return String.format(
        Locale.ROOT,
        "%.1f MB of weights, or %.1f MB as GGUF,",
        plan.outputBytes() / 1e6 - gguf,
        gguf);
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

  /** The formats of the linears, in the order of the recipe. */
  private static String formats(CompressionPlan plan) {
    return plan.recipe().modifiers().stream()
        .flatMap(modifier -> modifier.groups().stream())
        .map(group -> LinearFormat.of(group).word())
        .distinct()
        .collect(Collectors.joining(", "));
  }
}
