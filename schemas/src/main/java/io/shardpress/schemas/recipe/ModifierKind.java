package io.shardpress.schemas.recipe;

import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The modifiers by their name in a recipe and the algorithm's name on the command line. */
public enum ModifierKind {
  QUANTIZATION("QuantizationModifier", "rtn", true),
  GPTQ("GPTQModifier", "gptq", true),
  LRQ("LRQModifier", "lrq", true),
  EASY_QUANT("EasyQuantModifier", "easyquant", false),
  SMOOTH_QUANT("SmoothQuantModifier", "smoothquant", false),
  AWQ("AWQModifier", "awq", false),
  FLEX_ROUND("FlexRoundModifier", "flexround", false),
  AUTO_ROUND("AutoRoundModifier", "autoround", false);

  private final String modifier;
  private final String algorithm;
  private final boolean supported;

  ModifierKind(String modifier, String algorithm, boolean supported) {
    this.modifier = modifier;
    this.algorithm = algorithm;
    this.supported = supported;
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
