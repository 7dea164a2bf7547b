package io.shardpress.schemas.recipe;

import io.shardpress.schemas.UsageException;
import java.util.List;
import java.util.Map;

/** llm-compressor's modifiers that have no counterpart here, and why. */
final class ForeignModifiers {
  private static final String PRUNES =
      "sets weights to zero, and pruning is not supported yet; leave it out to quantize alone";
  private static final String ROTATES =
      "rotates weights and what stands between them, which is not supported; leave it out, or take"
          + " SmoothQuantModifier or AWQModifier before the modifier that quantizes";

  private static final Map<String, String> REASONS =
      Map.of(
          "SparseGPTModifier", PRUNES,
          "WandaPruningModifier", PRUNES,
          "MagnitudePruningModifier", PRUNES,
          "ConstantPruningModifier", PRUNES,
          "REAPPruningModifier",
              "takes experts out of a model, and pruning is not supported yet; leave it out to"
                  + " quantize alone",
          "SpinQuantModifier", ROTATES,
          "QuIPModifier", ROTATES,
          "LogarithmicEqualizationModifier",
              "scales by logarithms of ranges, which is not supported; take SmoothQuantModifier");

  private ForeignModifiers() {}

  /** Refuses one of them with its reason. */
  static void refuse(String source, String name) {
    String reason = REASONS.get(name);
    if (reason != null) {
      throw new UsageException(source + ": " + name + " " + reason);
    }
  }

  /** Names that are no mistakes of spelling. */
  static List<String> names() {
    return REASONS.keySet().stream().sorted().toList();
  }
}
