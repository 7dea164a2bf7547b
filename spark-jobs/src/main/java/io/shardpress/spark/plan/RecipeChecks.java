package io.shardpress.spark.plan;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.recipe.Modifier;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What the jobs cannot do with a recipe, found before they start. */
final class RecipeChecks {
  private final String source;
  private final ModelConfig config;

  RecipeChecks(String source, ModelConfig config) {
    this.source = source;
    this.config = config;
  }

  void check(List<PlanEntry> entries) {
    List<PlanEntry> quantized =
        entries.stream().filter(entry -> entry.action() == Action.QUANTIZE).toList();
    Set<Modifier> used =
        quantized.stream().map(entry -> entry.choice().modifier()).collect(Collectors.toSet());
    if (used.stream().noneMatch(modifier -> modifier.kind().learnsFromActivations())) {
      return;
    }
    if (used.size() > 1) {
      throw new CheckpointException(
          source
              + ": the recipe gives different linears to "
              + used.size()
              + " modifiers, one of them calibrated; give all to one, with config_groups for"
              + " different schemes");
    }
    for (PlanEntry entry : quantized) {
      TensorPlace place = TensorPlace.of(entry.tensor().tensor());
      if (place.layer().isEmpty()
          || place.layer().getAsInt() >= config.layers()
          || TensorPlace.linear(entry.tensor().tensor()).isEmpty()) {
        throw new CheckpointException(
            "%s: tensor %s is no linear of a block, and calibrated algorithms learn those only; add %s to ignore, or use --algorithm rtn"
                .formatted(source, entry.tensor().tensor(), entry.module()));
      }
    }
  }
}
