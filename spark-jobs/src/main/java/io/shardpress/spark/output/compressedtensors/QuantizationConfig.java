package io.shardpress.spark.output.compressedtensors;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.json.StrictJson;
import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.spark.output.FolderFiles;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.FusedLinears;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** config.json with the quantization_config that vLLM and Transformers load a checkpoint by. */
final class QuantizationConfig {
  private QuantizationConfig() {}

  /** The file, from the model's own. */
  static byte[] of(CompressionPlan plan) {
    ObjectNode config =
        StrictJson.object(plan.checkpoint().uri() + "/config.json", plan.checkpoint().configJson());
    config.set(
        "quantization_config",
        CompressedTensors.quantizationConfig(
            groups(plan), ignored(plan), plan.recipe().kvCache().orElse(null)));
    return FolderFiles.json(config);
  }

  /** The groups that linears fell to, in the recipe's order. */
  private static List<SchemeGroup> groups(CompressionPlan plan) {
    Set<SchemeGroup> used = new LinkedHashSet<>();
    for (Modifier modifier : plan.recipe().modifiers()) {
      for (SchemeGroup group : modifier.groups()) {
        if (plan.quantized().values().stream().anyMatch(e -> e.choice().group().equals(group))) {
          used.add(group);
        }
      }
    }
    return RuntimeTargets.of(plan, List.copyOf(used));
  }

  /**
   * Linears that stay as they are, by name: what readers would otherwise expect packed. lm_head is
   * always among them, since Transformers counts it as a linear even where it is tied; Mixtral's
   * experts also as vLLM asks for them.
   */
  private static List<String> ignored(CompressionPlan plan) {
    List<String> names = new ArrayList<>();
    if (!plan.recipe().quantizesWeights()) {
      return names;
    }
    boolean head = false;
    String embedding = DecoderNames.of(plan.checkpoint().shapes().keySet()).embed();
    for (PlanEntry entry : plan.entries()) {
      boolean linear = entry.ignored() || mayBeLinear(plan, entry, embedding);
      if (entry.action() == Action.COPY && linear) {
        names.add(entry.module());
        String asked = FusedLinears.asked(entry.module());
        if (!asked.equals(entry.module())) {
          names.add(asked);
        }
        head |= entry.module().endsWith("lm_head");
      }
    }
    boolean quantizedHead =
        plan.quantized().keySet().stream().anyMatch(module -> module.endsWith("lm_head"));
    if (!head && !quantizedHead) {
      names.add("lm_head");
    }
    return names;
  }

  /**
   * Of a family that is not known here, readers may take any 2-D weight for a linear's; of one that
   * is, routers and what stands beside the language model.
   */
  private static boolean mayBeLinear(CompressionPlan plan, PlanEntry entry, String embedding) {
    String name = entry.tensor().tensor();
    return entry.tensor().shape().size() == 2
        && (!plan.config().knownFamily() || (name.endsWith(".weight") && !name.equals(embedding)));
  }
}
