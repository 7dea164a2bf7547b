package io.shardpress.spark.plan;

import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ScaleSettings;
import java.util.List;
import java.util.Locale;
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

  /** What learners cannot do with a mixture of experts. */
  private void experts(Set<Modifier> used) {
    for (Modifier modifier : used) {
      if (!modifier.learnsByBlocks() && ScaleSettings.of(modifier).iterations() > 0) {
        throw new CheckpointException(
            source
                + ": scale_iterations after GPTQ takes whole blocks through a backward pass, which"
                + " a mixture of experts has none of; leave it out, or take LRQModifier, whose own"
                + " steps on scales are expert by expert");
      }
    }
  }

  /** Experts' inputs differ by expert, and no runtime takes a scale for each. */
  private void checkStaticInputs(List<PlanEntry> quantized) {
    for (PlanEntry entry : quantized) {
      boolean expert =
          TensorPlace.linear(entry.tensor().tensor())
              .filter(role -> role.expert() != LinearRole.NONE)
              .isPresent();
      if (expert && entry.choice().group().staticActivations()) {
        throw new CheckpointException(
            "%s: tensor %s: found static input_activations for an expert, of which scales are not measured; take a scheme without them, such as W8A8, or ignore the experts"
                .formatted(source, entry.tensor().tensor()));
      }
    }
  }

  /** Second moments of a linear's inputs are one array yet: their square has to fit. */
  private void checkWidth(PlanEntry entry) {
    Modifier modifier = entry.choice().modifier();
    if (modifier.solvesByGptq() && entry.in() > StageFactors.MOST_INPUTS) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: found %d inputs, and %s takes %d at most, for their second moments"
                  + " are one array; add %s to ignore, or use --algorithm rtn",
              source,
              entry.tensor().tensor(),
              entry.in(),
              modifier.kind().algorithm(),
              StageFactors.MOST_INPUTS,
              entry.module()));
    }
  }

  void check(List<PlanEntry> entries) {
    List<PlanEntry> quantized =
        entries.stream().filter(entry -> entry.action() == Action.QUANTIZE).toList();
    checkStaticInputs(quantized);
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
    if (config.experts() != null) {
      experts(used);
    }
    quantized.forEach(this::checkWidth);
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
