package io.shardpress.spark.cli;

import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.app.options.RecipeChoice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** What is to be done: a recipe's file, or scheme and algorithm. */
final class RecipeArguments {
  private static final String DEFAULT_SCHEME = "W4A16";
  private static final String DEFAULT_ALGORITHM = "lrq";

  @Option(
      names = "--recipe",
      paramLabel = "FILE",
      description = "YAML recipe, see conf/recipes; in place of the options below but --seed.")
  private String recipe;

  @Option(
      names = "--scheme",
      paramLabel = "NAME",
      description =
          "W2A16, W3A16, W4A16 or W8A16, each also with _ASYM; W8A8, W8A8_STATIC, W4A8, W4A8KV8;"
              + " default: W4A16.")
  private String scheme;

  @Option(
      names = "--algorithm",
      paramLabel = "NAME",
      description =
          "rtn, easyquant, smoothquant, awq, gptq, coupled, lrq, flexround or autoround; default:"
              + " lrq.")
  private String algorithm;

  @Option(
      names = "--group-size",
      paramLabel = "G",
      description =
          "Inputs that share a scale, or channel for a scale per row; default: 128, W8A8: channel.")
  private String groupSize;

  @Option(
      names = "--targets",
      paramLabel = "P",
      description =
          "Modules to quantize: a class name, an exact name, or re:PATTERN; may be repeated;"
              + " default: Linear.")
  private final List<String> targets = new ArrayList<>();

  @Option(
      names = "--ignore",
      paramLabel = "P",
      description =
          "Modules to leave as they are, written like targets; may be repeated; default: lm_head.")
  private final List<String> ignore = new ArrayList<>();

  @Option(
      names = "--tune",
      paramLabel = "N",
      description =
          "Steps on scales and norms of the whole model by its output, behind the algorithm;"
              + " default: 0.")
  private Integer tune;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of every random number; default: 0, or the recipe's.")
  private Long seed;

  RecipeChoice choice() {
    OptionalLong asked = seed == null ? OptionalLong.empty() : OptionalLong.of(seed);
    if (recipe == null) {
      Recipe given =
          Recipe.of(
              algorithm == null ? DEFAULT_ALGORITHM : algorithm,
              scheme == null ? DEFAULT_SCHEME : scheme,
              groupSize(),
              targets,
              ignore,
              asked.orElse(0));
      Recipe tuned = tune() == 0 ? given : given.withTuning(tune(), asked.orElse(0));
      return new RecipeChoice(Optional.empty(), Optional.of(tuned), asked);
    }
    refuseBeside("--scheme", scheme != null);
    refuseBeside("--algorithm", algorithm != null);
    refuseBeside("--group-size", groupSize != null);
    refuseBeside("--tune", tune != null);
    refuseBeside("--targets", !targets.isEmpty());
    refuseBeside("--ignore", !ignore.isEmpty());
    return new RecipeChoice(Optional.of(recipe), Optional.empty(), asked);
  }

  private static void refuseBeside(String option, boolean present) {
    if (present) {
      throw new UsageException(
          "both --recipe and " + option + "; write it into the recipe, or leave --recipe out");
    }
  }

  private int tune() {
    if (tune != null && tune < 0) {
      throw new UsageException("--tune is " + tune + ", want an integer of at least 0");
    }
    return tune == null ? 0 : tune;
  }

  private OptionalInt groupSize() {
    if (groupSize == null) {
      return OptionalInt.empty();
    }
    if (groupSize.equals("channel")) {
      return OptionalInt.of(0);
    }
    try {
      int size = Integer.parseInt(groupSize);
      if (size >= 1) {
        return OptionalInt.of(size);
      }
    } catch (NumberFormatException notANumber) {
      // Told below, with what is wanted.
    }
    throw new UsageException(
        "--group-size is " + groupSize + ", want an integer of at least 1, or channel");
  }
}
