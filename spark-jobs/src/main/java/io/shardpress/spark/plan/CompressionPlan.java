package io.shardpress.spark.plan;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The whole of what will be done.
 *
 * @param config of the model
 * @param entries one for every input tensor, in the order of the input
 * @param scaleFormat what stored scales are rounded to, so that every output holds them exactly
 * @param warnings what the user should know and may accept
 */
public record CompressionPlan(
    Checkpoint checkpoint,
    ModelConfig config,
    Recipe recipe,
    List<PlanEntry> entries,
    ScaleFormat scaleFormat,
    List<String> warnings) {
  public CompressionPlan {
    entries = List.copyOf(entries);
    warnings = List.copyOf(warnings);
  }

  /** The entries that are quantized, by module. */
  public Map<String, PlanEntry> quantized() {
    Map<String, PlanEntry> byModule = new TreeMap<>();
    for (PlanEntry entry : entries) {
      if (entry.action() == Action.QUANTIZE) {
        byModule.put(entry.module(), entry);
      }
    }
    return byModule;
  }

  /**
   * What learns the linears: the recipe's last modifier, which all of them share; its first where
   * the cache alone is quantized.
   */
  public Modifier learner() {
    return quantized().values().stream()
        .findFirst()
        .map(entry -> entry.choice().modifier())
        .orElse(recipe.modifiers().get(0));
  }

  /** The same plan with some tensors read from elsewhere, by name. */
  public CompressionPlan with(Map<String, TensorRef> changed) {
    List<PlanEntry> others =
        entries.stream()
            .map(
                entry ->
                    changed.containsKey(entry.tensor().tensor())
                        ? entry.withSource(changed.get(entry.tensor().tensor()))
                        : entry)
            .toList();
    return new CompressionPlan(
        checkpoint.with(changed), config, recipe, others, scaleFormat, warnings);
  }

  /** The same plan with as many outliers as were found, by module, in place of an estimate. */
  public CompressionPlan withOutliers(Map<String, Integer> counts) {
    List<PlanEntry> counted =
        entries.stream()
            .map(
                entry ->
                    counts.containsKey(entry.module())
                        ? entry.withOutliers(counts.get(entry.module()))
                        : entry)
            .toList();
    return new CompressionPlan(checkpoint, config, recipe, counted, scaleFormat, warnings);
  }

  /** Bytes of all input tensors, as they lie in the files. */
  public long inputBytes() {
    return entries.stream().mapToLong(entry -> entry.tensor().storedBytes()).sum();
  }
}
