package io.shardpress.spark.output.compressedtensors;

import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** What users should know of the runtimes that load compressed-tensors. */
final class RuntimeWarnings {
  private static final int FEWEST_BITS_OF_VLLM = 4;

  private RuntimeWarnings() {}

  static List<String> of(CompressionPlan plan) {
    Collection<PlanEntry> quantized = plan.quantized().values();
    Recipe recipe = plan.recipe();
    List<String> warnings = new ArrayList<>();
    TreeSet<Integer> low = new TreeSet<>();
    for (PlanEntry entry : quantized) {
      if (entry.choice().group().weights().bits() < FEWEST_BITS_OF_VLLM) {
        low.add(entry.choice().group().weights().bits());
      }
    }
    if (!low.isEmpty()) {
      warnings.add("vLLM loads 4 and 8 bits only, not " + low + "; Transformers loads them all");
    }
    if (quantized.stream().anyMatch(entry -> entry.choice().group().weights().outliers())) {
      warnings.add(
          "neither vLLM nor Transformers loads outliers beside the integers, only evaluate does");
    }
    if (plan.config().experts() != null && !recipe.transforms().isEmpty()) {
      warnings.add(
          "of a mixture of experts, SmoothQuant and AWQ scale what gate and up read by powers of"
              + " two, which leave the router's choice as it is, and leave out what down reads");
    }
    warnings.addAll(ofActivations(quantized, recipe));
    return warnings;
  }

  private static List<String> ofActivations(Collection<PlanEntry> quantized, Recipe recipe) {
    TreeSet<String> warnings = new TreeSet<>();
    for (PlanEntry entry : quantized) {
      SchemeGroup group = entry.choice().group();
      if (group.activations() != null && !vllmTakes(group)) {
        warnings.add(
            "vLLM loads quantized inputs with symmetric weights only, of 8 bits per channel or of 4"
                + " bits with inputs per token, not "
                + group.schemeName()
                + (group.weights().perChannel()
                    ? ""
                    : " in groups of " + group.weights().groupSize())
                + "; Transformers loads them all");
      }
    }
    if (recipe.kvCache().isPresent() && !recipe.kvCache().get().floating()) {
      warnings.add("vLLM keeps caches of type float only, not int; its scales are for FP8");
    }
    return List.copyOf(warnings);
  }

  private static boolean vllmTakes(SchemeGroup group) {
    if (group.weights().floating()) {
      return true;
    }
    boolean wide = group.weights().bits() == 8 && group.weights().perChannel();
    boolean narrow =
        group.weights().bits() == 4
            && group.activations().dynamic()
            && group.activations().symmetric();
    return group.weights().symmetric() && (wide || narrow);
  }
}
