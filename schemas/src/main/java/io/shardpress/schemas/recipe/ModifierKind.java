package io.shardpress.schemas.recipe;

import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The modifiers by their name in a recipe and the algorithm's name on the command line. */
public enum ModifierKind {
  QUANTIZATION("QuantizationModifier", "rtn", Way.DATA_FREE, true),
  GPTQ("GPTQModifier", "gptq", Way.LAYER_WISE, true),
  LRQ("LRQModifier", "lrq", Way.BLOCK_WISE, true),
  EASY_QUANT("EasyQuantModifier", "easyquant", Way.DATA_FREE, true),
  SMOOTH_QUANT("SmoothQuantModifier", "smoothquant", Way.TRANSFORM, true),
  AWQ("AWQModifier", "awq", Way.TRANSFORM, true),
  FLEX_ROUND("FlexRoundModifier", "flexround", Way.BLOCK_WISE, true),
  AUTO_ROUND("AutoRoundModifier", "autoround", Way.BLOCK_WISE, true);

  /** What an algorithm needs, and so what runs side by side. */
  private enum Way {
    /** The weights alone. */
    DATA_FREE,
    /** Second moments of a linear's inputs. */
    LAYER_WISE,
    /** A block's inputs and outputs. */
    BLOCK_WISE,
    /** Changes weights so that another quantizes them better. */
    TRANSFORM
  }

  private final String modifier;
  private final String algorithm;
  private final Way way;
  private final boolean supported;

  ModifierKind(String modifier, String algorithm, Way way, boolean supported) {
    this.modifier = modifier;
    this.algorithm = algorithm;
    this.way = way;
    this.supported = supported;
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
    return this != SMOOTH_QUANT;
  }

  /** Whether it is nothing without targets and a scheme. */
  boolean needsScheme() {
    return way != Way.TRANSFORM;
  }

  /** Whether it learns the integers of a block's linears from activations. */
  public boolean learnsFromActivations() {
    return way == Way.LAYER_WISE || way == Way.BLOCK_WISE;
  }

  /** Whether it learns by the output error of whole blocks. */
  public boolean blockwise() {
    return way == Way.BLOCK_WISE;
  }

  boolean isSupported() {
    return supported;
  }

  /** The key in a recipe: GPTQModifier. */
  public String modifier() {
    return modifier;
  }

  /** The value of {@code --algorithm}: gptq. */
  public String algorithm() {
    return algorithm;
  }

  /** Algorithms that can be run, in the order of the command line's help. */
  public static List<String> supportedAlgorithms() {
    return supported().map(ModifierKind::algorithm).toList();
  }

  static List<String> supportedModifiers() {
    return supported().map(ModifierKind::modifier).toList();
  }

  private static Stream<ModifierKind> supported() {
    return Arrays.stream(values()).filter(kind -> kind.supported);
  }

  /**
   * The kind that {@code --algorithm} names.
   *
   * @throws UsageException for a name that is unknown or not supported yet
   */
  public static ModifierKind ofAlgorithm(String name) {
    return find(
        "algorithm",
        name,
        Arrays.stream(values()).map(ModifierKind::algorithm).toList(),
        supportedAlgorithms());
  }

  /**
   * The kind that a recipe's key names.
   *
   * @throws UsageException for a name that is unknown or not supported yet
   */
  static ModifierKind ofModifier(String name) {
    return find(
        "modifier",
        name,
        Arrays.stream(values()).map(ModifierKind::modifier).toList(),
        supportedModifiers());
  }

  private static ModifierKind find(
      String noun, String name, List<String> known, List<String> supported) {
    int index = known.indexOf(name);
    String choices = "supported are " + String.join(", ", supported);
    if (index < 0) {
      throw new UsageException(
          "unknown %s '%s', the nearest is %s; %s"
              .formatted(noun, name, Nearest.to(name, known), choices));
    }
    if (!values()[index].supported) {
      throw new UsageException("%s %s is not supported yet; %s".formatted(noun, name, choices));
    }
    return values()[index];
  }
}
