package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * One step of a recipe: which modules, stored how, learned by which algorithm with what settings.
 */
public sealed interface Modifier extends Serializable
    permits QuantizationModifier, GptqModifier, LrqModifier {

  /** The algorithm. */
  ModifierKind kind();

  /** Targets and their schemes; the first group that matches a module wins. Never empty. */
  List<SchemeGroup> groups();

  /** Modules left as they are even where a group matches; targets as in a group. */
  List<String> ignore();

  /**
   * Every setting of the algorithm by its key, defaults written out: Boolean, Long, Double or
   * String, in the order in which a recipe shows them.
   */
  Map<String, Object> settings();

  /** The same with another seed; itself where nothing is random. */
  Modifier withSeed(long seed);

  /** One line that holds all that its results depend on; see {@link Recipe#canonical}. */
  default String canonical() {
    return RecipeText.canonical(this);
  }

  /** Whether it needs calibration text. */
  default boolean calibrated() {
    return kind() != ModifierKind.QUANTIZATION;
  }
}
