package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;

/**
 * Modules that share a scheme: one of config_groups.
 *
 * @param targets exact names, {@code re:} patterns or class names
 * @param activations how the modules' inputs are quantized; null: not at all
 */
public record SchemeGroup(List<String> targets, WeightScheme weights, ActivationScheme activations)
    implements Serializable {
  public SchemeGroup {
    targets = List.copyOf(targets);
  }

  /** A group whose inputs stay as they are. */
  public SchemeGroup(List<String> targets, WeightScheme weights) {
    this(targets, weights, null);
  }

  /** The same with other weights. */
  SchemeGroup withWeights(WeightScheme other) {
    return new SchemeGroup(targets, other, activations);
  }

  /** Whether its inputs' scales come from calibration text. */
  public boolean staticActivations() {
    return activations != null && !activations.dynamic();
  }

  /**
   * What people call it: W4A16 where inputs stay as they are, W4A8 where each token has its scale;
   * then _ASYM where weights have zero points, _STATIC where all inputs share a scale, _INPUT_ASYM
   * where inputs have zero points. Of FP8: FP8, FP8_DYNAMIC, FP8_BLOCK, others by what shares their
   * scales; MXFP4A16, NVFP4A16. Group size and observer are not part of it.
   */
  public String schemeName() {
    if (weights.floating() && !weights.form().fp4()) {
      return fp8Name();
    }
    if (activations == null) {
      return weights.name();
    }
    return weights.name().replace("A16", "A" + activations.bits())
        + (activations.dynamic() ? "" : "_STATIC")
        + (activations.symmetric() ? "" : "_INPUT_ASYM");
  }

  /** llm-compressor's names where there are such. */
  private String fp8Name() {
    if (activations == null) {
      return weights.name() + "_A16";
    }
    if (weights.form() == WeightForm.FP8_TENSOR && !activations.dynamic()) {
      return "FP8";
    }
    if (weights.form() == WeightForm.FP8_CHANNEL && activations.strategy().equals("token")) {
      return "FP8_DYNAMIC";
    }
    if (weights.form() == WeightForm.FP8_BLOCK && activations.groupSize() == WeightForm.BLOCK) {
      return "FP8_BLOCK";
    }
    return weights.name() + "_BY_" + activations.strategy().toUpperCase(Locale.ROOT);
  }
}
