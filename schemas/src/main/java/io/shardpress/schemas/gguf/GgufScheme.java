package io.shardpress.schemas.gguf;

import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Locale;

/**
 * What a scheme's integers become. llama.cpp's blocks of 32 weights hold them as they are where
 * groups are runs of whole blocks, with the group's scale in each: symmetric 4 bits as Q4_0,
 * symmetric 8 bits as Q8_0, both exactly; asymmetric 4 bits as Q4_1, whose minimum −zero·scale is
 * rounded to f16.
 *
 * @param type null where there is none
 * @param refusal why there is none; null where there is one
 */
public record GgufScheme(GgufType type, String refusal) {
  /**
   * @param in inputs of the linear
   */
  public static GgufScheme of(SchemeGroup group, int in) {
    WeightScheme weights = group.weights();
    if (group.activations() != null) {
      return refused("it has no place for quantized inputs; use W4A16 or W8A16");
    }
    if (weights.floating()) {
      return refused(
          weights.form().fp4()
              ? "floating-point weights are not written there; use W4A16"
              : "it has no type of FP8; use W8A16");
    }
    if (weights.outliers()) {
      return refused("it has no place for outliers; leave outliers out");
    }
    if (weights.indexed()) {
      return refused("its groups are runs of columns; use actorder static");
    }
    if (weights.bits() < 4) {
      return refused(
          "its types of "
              + weights.bits()
              + " bits have scales of few bits themselves, which would change the learned ones;"
              + " use W4A16, W4A16_ASYM or W8A16");
    }
    if (weights.bits() == 8 && !weights.symmetric()) {
      return refused("it has no type of 8 bits with zero points; use W8A16");
    }
    GgufType type = type(weights);
    int length = weights.perChannel() ? in : weights.groupSize();
    if (!type.divides(length)) {
      return refused(
          String.format(
              Locale.ROOT,
              "%s are no multiple of its blocks of %d; %s",
              weights.perChannel() ? "its " + in + " inputs" : "groups of " + length,
              type.blockElements(),
              in % type.blockElements() == 0
                  ? "use --group-size 32, 64 or 128, or ignore it"
                  : "add it to ignore"));
    }
    return new GgufScheme(type, null);
  }

  private static GgufType type(WeightScheme weights) {
    if (weights.bits() == 8) {
      return GgufType.Q8_0;
    }
    return weights.symmetric() ? GgufType.Q4_0 : GgufType.Q4_1;
  }

  private static GgufScheme refused(String reason) {
    return new GgufScheme(null, reason);
  }
}
