package io.shardpress.spark.plan;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.Recipe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What quantized activations and caches add to a plan, and what of them cannot be done. */
final class ActivationPlan {
  private static final String WEIGHT = ".weight";

  private final String source;
  private final Recipe recipe;
  private final String modelDtype;

  ActivationPlan(String source, Recipe recipe, String modelDtype) {
    this.source = source;
    this.recipe = recipe;
    this.modelDtype = modelDtype;
  }

  /**
   * The entry with the scale of a block's cached keys or values beside it, if it is the weight that
   * they come from.
   */
  PlanEntry withCacheScale(PlanEntry entry) {
    String module = entry.module();
    boolean both = module.endsWith("." + LinearRole.QKV.module());
    boolean key = both || module.endsWith("." + LinearRole.K.module());
    boolean value = both || module.endsWith("." + LinearRole.V.module());
    if (recipe.kvCache().isEmpty()
        || !entry.tensor().tensor().equals(module + WEIGHT)
        || !(key || value)) {
      return entry;
    }
    String attention = module.substring(0, module.lastIndexOf('.'));
    List<OutputTensor> outputs = new ArrayList<>(entry.outputs());
    if (key) {
      outputs.add(CompressedTensors.cacheScale(attention, CompressedTensors.K_SCALE, modelDtype));
    }
    if (value) {
      outputs.add(CompressedTensors.cacheScale(attention, CompressedTensors.V_SCALE, modelDtype));
    }
    return entry.withOutputs(outputs);
  }

  /**
   * Refuses what no runtime could do.
   *
   * @throws CheckpointException naming the tensor
   */
  void check(List<PlanEntry> entries) {
    Map<String, PlanEntry> firsts = new HashMap<>();
    for (PlanEntry entry : entries) {
      TensorPlace place = TensorPlace.of(entry.tensor().tensor());
      Stage stage = TensorPlace.linear(entry.tensor().tensor()).map(Stage::of).orElse(null);
      if (stage == null || place.layer().isEmpty()) {
        outsideBlocks(entry);
        continue;
      }
      String read = place.layer().getAsInt() + " " + stage;
      PlanEntry first = firsts.putIfAbsent(read, entry);
      if (first != null && !Objects.equals(activations(first), activations(entry))) {
        throw new CheckpointException(
            "%s: %s and %s read the same inputs, which the recipe quantizes as %s for one and as %s for the other; give both the same input_activations, since runtimes fuse them"
                .formatted(
                    source,
                    first.module(),
                    entry.module(),
                    text(activations(first)),
                    text(activations(entry))));
      }
    }
  }

  private void outsideBlocks(PlanEntry entry) {
    ActivationScheme scheme = activations(entry);
    if (scheme != null && (!scheme.dynamic() || entry.module().endsWith("lm_head"))) {
      throw new CheckpointException(
          "%s: tensor %s is no linear of a block, and inputs are quantized %s there only; add %s to ignore, or give it a group without input_activations"
              .formatted(source, entry.tensor().tensor(), text(scheme), entry.module()));
    }
  }

  private static ActivationScheme activations(PlanEntry entry) {
    return entry.choice() == null ? null : entry.choice().group().activations();
  }

  private static String text(ActivationScheme scheme) {
    if (scheme == null) {
      return "not at all";
    }
    return (scheme.dynamic() ? "per token" : "per tensor")
        + (scheme.symmetric() ? "" : " with zero points");
  }
}
