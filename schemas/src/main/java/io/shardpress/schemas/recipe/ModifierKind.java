package io.shardpress.schemas.recipe;

import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import java.util.Arrays;
import java.util.List;

/** The modifiers by their name in a recipe and the algorithm's name on the command line. */
public enum ModifierKind {
  QUANTIZATION("QuantizationModifier", "rtn", Way.DATA_FREE),
  GPTQ("GPTQModifier", "gptq", Way.LAYER_WISE),
  COUPLED("CoupledModifier", "coupled", Way.LAYER_WISE),
  LRQ("LRQModifier", "lrq", Way.BLOCK_WISE),
  EASY_QUANT("EasyQuantModifier", "easyquant", Way.DATA_FREE),
  SMOOTH_QUANT("SmoothQuantModifier", "smoothquant", Way.TRANSFORM),
  AWQ("AWQModifier", "awq", Way.TRANSFORM),
  FLEX_ROUND("FlexRoundModifier", "flexround", Way.BLOCK_WISE),
  AUTO_ROUND("AutoRoundModifier", "autoround", Way.BLOCK_WISE),
  END_TO_END("EndToEndModifier", "end to end", Way.TUNING);

  /** What an algorithm needs, and so what runs side by side. */
  private enum Way {
    /** The weights alone. */
    DATA_FREE,
    /** Second moments of a linear's inputs. */
    LAYER_WISE,
    /** A block's inputs and outputs. */
    BLOCK_WISE,
    /** Changes weights so that another quantizes them better. */
    TRANSFORM,
    /** Goes on, over the whole model, from what others have quantized. */
    TUNING
  }

  private final String modifier;
  private final String algorithm;
  private final Way way;

  ModifierKind(String modifier, String algorithm, Way way) {
    this.modifier = modifier;
    this.algorithm = algorithm;
    this.way = way;
  }

  /** Whether it needs calibration text. */
  public boolean calibrated() {
    return way != Way.DATA_FREE;
  }

  /** Whether it changes the weights, the block's function apart, before others quantize them. */
  public boolean transforms() {
    return way == Way.TRANSFORM;
  }

  /** Whether it can have targets with a scheme: AWQ then rounds what it has scaled. */
  boolean takesScheme() {
    return this != SMOOTH_QUANT && !tunes();
  }

  /** Whether it is nothing without targets and a scheme. */
  boolean needsScheme() {
    return way != Way.TRANSFORM && !tunes();
  }

  /** Whether it goes on, over the whole model, from what others have quantized. */
  public boolean tunes() {
    return way == Way.TUNING;
  }

  /** Whether it learns the integers of a block's linears from activations. */
  public boolean learnsFromActivations() {
    return way == Way.LAYER_WISE || way == Way.BLOCK_WISE;
  }

  /** Whether integers are found by GPTQ before anything else. */
  boolean startsFromGptq() {
    return way == Way.LAYER_WISE;
  }

  /** Whether it learns by the output error of whole blocks. */
  public boolean blockwise() {
    return way == Way.BLOCK_WISE;
  }

  /** The key in a recipe: GPTQModifier. */
  public String modifier() {
    return modifier;
  }

  /** The value of {@code --algorithm}: gptq. */
  public String algorithm() {
    return algorithm;
  }

  /** All algorithms, in the order of the command line's help. */
  public static List<String> supportedAlgorithms() {
    return Arrays.stream(values())
        .filter(kind -> !kind.tunes())
        .map(ModifierKind::algorithm)
        .toList();
  }

  static List<String> supportedModifiers() {
    return Arrays.stream(values()).map(ModifierKind::modifier).toList();
  }

  /**
   * The kind that {@code --algorithm} names.
   *
   * @throws UsageException for an unknown name
   */
  public static ModifierKind ofAlgorithm(String name) {
    String modifier =
        Arrays.stream(values())
            .filter(kind -> !kind.tunes() && kind.algorithm.equals(name))
            .map(kind -> kind.modifier)
            .findFirst()
            .orElse(null);
    return modifier == null ? find("algorithm", name, supportedAlgorithms()) : ofModifier(modifier);
  }

  /**
   * The kind that a recipe's key names.
   *
   * @throws UsageException for an unknown name
   */
  static ModifierKind ofModifier(String name) {
    return find("modifier", name, supportedModifiers());
  }

  private static ModifierKind find(String noun, String name, List<String> known) {
    int index = known.indexOf(name);
    if (index < 0) {
      throw new UsageException(
          "unknown %s '%s', the nearest is %s; supported are %s"
              .formatted(noun, name, Nearest.to(name, known), String.join(", ", known)));
    }
    return values()[index];
  }
}
