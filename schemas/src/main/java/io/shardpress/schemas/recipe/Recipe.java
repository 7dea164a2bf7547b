package io.shardpress.schemas.recipe;

import io.shardpress.schemas.Sha256;
import io.shardpress.schemas.UsageException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is to be done to a model: modifiers in order. A module belongs to the first modifier that
 * does not ignore it and has a group that matches it.
 */
public record Recipe(List<Modifier> modifiers) implements Serializable {
  public Recipe {
    modifiers = List.copyOf(modifiers);
    if (modifiers.isEmpty()) {
      throw new IllegalArgumentException("a recipe has at least one modifier");
    }
    if (modifiers.stream().map(Modifier::kvCache).filter(Objects::nonNull).distinct().count() > 1) {
      throw new UsageException(
          "two modifiers give different kv_cache_scheme, but a model has one cache; leave one out");
    }
    boolean quantizes = false;
    boolean tuned = false;
    for (Modifier modifier : modifiers) {
      if (tuned) {
        throw new UsageException(
            modifier.kind().modifier()
                + " stands behind EndToEndModifier, which goes on from all that is quantized; put"
                + " EndToEndModifier last, once");
      }
      tuned = modifier.kind().tunes();
      if (modifier.kind().transforms() && quantizes) {
        throw new UsageException(
            modifier.kind().modifier()
                + " stands after a modifier that quantizes; put it before, it changes the weights"
                + " that are quantized");
      }
      quantizes |= !modifier.groups().isEmpty();
    }
    checkFloating(modifiers);
    if (tuned) {
      checkTuned(modifiers);
    }
    boolean caches = modifiers.stream().anyMatch(modifier -> modifier.kvCache() != null);
    boolean transforms = modifiers.stream().anyMatch(modifier -> modifier.kind().transforms());
    if (!quantizes && (transforms || !caches)) {
      throw new UsageException(
          modifiers.get(0).kind().modifier()
              + " quantizes nothing by itself; add a modifier with a scheme behind it, such as"
              + " GPTQModifier: {scheme: W4A16}");
    }
  }

  /** What is tuned is integers in groups of neighbouring columns, and nothing beside them. */
  private static void checkTuned(List<Modifier> modifiers) {
    boolean integers = EndToEndSettings.of(modifiers.get(modifiers.size() - 1)).learnsIntegers();
    for (Modifier modifier : modifiers) {
      boolean quantizes = !modifier.groups().isEmpty();
      if (integers && quantizes && modifier.kind() != ModifierKind.COUPLED) {
        throw new UsageException(
            "EndToEndModifier.integers: want CoupledModifier before it, which says how near each integer is to the next one; %s does not"
                .formatted(modifier.kind().modifier()));
      }
      for (SchemeGroup group : modifier.groups()) {
        String found =
            group.weights().floating()
                ? "floating-point weights (" + group.schemeName() + ")"
                : group.weights().indexed()
                    ? "actorder group"
                    : group.weights().outliers() ? "outliers" : null;
        if (found != null) {
          throw new UsageException(
              "EndToEndModifier: %s has %s, and its steps know integers in groups of neighbouring columns; leave one of them out"
                  .formatted(modifier.kind().modifier(), found));
        }
      }
    }
  }

  private static void checkFloating(List<Modifier> modifiers) {
    for (Modifier modifier : modifiers) {
      for (SchemeGroup group : modifier.groups()) {
        if (group.weights().form() == WeightForm.INT_TENSOR) {
          checkTensor(modifiers, modifier);
        }
        if (!group.weights().floating()) {
          continue;
        }
        if (modifier.kind() != ModifierKind.QUANTIZATION) {
          throw new UsageException(
              "%s: scheme %s has floating-point numbers, which lie further apart the larger they are, and %s finds integers at even steps; want QuantizationModifier (--algorithm rtn), or SmoothQuantModifier (smoothquant) before it"
                  .formatted(
                      modifier.kind().modifier(), group.schemeName(), modifier.kind().algorithm()));
        }
        if (RoundingSettings.of(modifier).stepSearch()) {
          throw new UsageException(
              "%s.step_search is true, want false for %s: its scales are those of the greatest weights"
                  .formatted(modifier.kind().modifier(), group.schemeName()));
        }
        if (modifiers.stream().anyMatch(other -> other.kind() == ModifierKind.AWQ)) {
          throw new UsageException(
              "AWQModifier: its scales are chosen for integers, not for %s; want SmoothQuantModifier, or leave it out"
                  .formatted(group.schemeName()));
        }
      }
    }
  }

  private static void checkTensor(List<Modifier> modifiers, Modifier modifier) {
    boolean awq = modifiers.stream().anyMatch(other -> other.kind() == ModifierKind.AWQ);
    if (modifier.kind() != ModifierKind.QUANTIZATION || awq) {
      throw new UsageException(
          "%s: one scale for a whole weight (strategy tensor) is only rounded to, and %s finds scales row by row; want strategy channel or group, or QuantizationModifier alone or behind SmoothQuantModifier"
              .formatted(
                  modifier.kind().modifier(), awq ? "AWQModifier" : modifier.kind().modifier()));
    }
    if (RoundingSettings.of(modifier).stepSearch()) {
      throw new UsageException(
          modifier.kind().modifier()
              + ".step_search is true, want false for strategy tensor: its scale is that of the"
              + " greatest weight");
    }
  }

  /** The modifier and the scheme that a module falls to. */
  public record Choice(Modifier modifier, SchemeGroup group) implements Serializable {}

  /**
   * Reads a recipe.
   *
   * @param source the file's name, for messages
   * @throws UsageException that names source, modifier, key, the value found and the value wanted
   */
  public static Recipe parse(String source, String yaml) {
    return RecipeParser.parse(source, yaml);
  }

  /**
   * The recipe of one modifier with its defaults, as the command line gives it.
   *
   * @param groupSize in place of the scheme's; 0 is per channel
   * @param targets empty: Linear
   * @param ignore empty: lm_head
   * @throws UsageException for an unknown or not yet supported algorithm or scheme
   */
  public static Recipe of(
      String algorithm,
      String scheme,
      OptionalInt groupSize,
      List<String> targets,
      List<String> ignore,
      long seed) {
    ModifierKind kind = ModifierKind.ofAlgorithm(algorithm);
    Settings settings = new Settings();
    if (!targets.isEmpty()) {
      settings.put(SettingKey.TARGETS, targets);
    }
    if (!ignore.isEmpty()) {
      settings.put(SettingKey.IGNORE, ignore);
    }
    settings.put(SettingKey.SEED, seed);
    Scheme named = Schemes.named(scheme, groupSize);
    SchemeGroup group =
        new SchemeGroup(settings.names(SettingKey.TARGETS), named.weights(), named.activations());
    if (named.kvCache() != null) {
      settings.put(SettingKey.KV_CACHE_SCHEME, named.kvCache());
    }
    List<String> ignored = settings.names(SettingKey.IGNORE);
    new TargetMatcher(group.targets());
    new TargetMatcher(ignored);
    if (!kind.takesScheme()) {
      Modifier transform = ModifierParser.build(kind, List.of(), ignored, settings);
      Modifier rounding =
          ModifierParser.build(ModifierKind.QUANTIZATION, List.of(group), ignored, settings);
      return new Recipe(List.of(transform, rounding));
    }
    return new Recipe(List.of(ModifierParser.build(kind, List.of(group), ignored, settings)));
  }

  /** The same recipe with that many steps on scales and norms behind it. */
  public Recipe withTuning(int iterations, long seed) {
    Settings settings = new Settings();
    settings.put(SettingKey.ITERATIONS, (long) iterations);
    settings.put(SettingKey.SEED, seed);
    List<Modifier> all = new ArrayList<>(modifiers);
    all.add(ModifierParser.build(ModifierKind.END_TO_END, List.of(), List.of(), settings));
    return new Recipe(all);
  }

  /** The steps over the whole model that come last. */
  public Optional<EndToEndSettings> tuning() {
    return modifiers.stream()
        .filter(modifier -> modifier.kind().tunes())
        .map(EndToEndSettings::of)
        .findFirst();
  }

  /** The same recipe with another seed in every modifier that has one. */
  public Recipe withSeed(long seed) {
    return new Recipe(modifiers.stream().map(modifier -> modifier.withSeed(seed)).toList());
  }

  /** Whether any weights are to be quantized, and not the cache alone. */
  public boolean quantizesWeights() {
    return modifiers.stream().anyMatch(modifier -> !modifier.groups().isEmpty());
  }

  /** The modifiers that change the weights before they are quantized, in order. */
  public List<Modifier> transforms() {
    return modifiers.stream().filter(modifier -> modifier.kind().transforms()).toList();
  }

  /** Whether any modifier learns from calibration text. */
  public boolean calibrated() {
    return modifiers.stream().anyMatch(Modifier::calibrated);
  }

  /** How the model's keys and values are cached; empty: as they are. */
  public Optional<KvCacheScheme> kvCache() {
    return modifiers.stream().map(Modifier::kvCache).filter(Objects::nonNull).findFirst();
  }

  /** Whether scales of activations, or of keys and values, are taken from calibration text. */
  public boolean measuresActivations() {
    return kvCache().isPresent()
        || modifiers.stream()
            .flatMap(modifier -> modifier.groups().stream())
            .anyMatch(SchemeGroup::staticActivations);
  }

  /** Whether calibration text is needed, to learn from or to measure activations. */
  public boolean needsText() {
    return calibrated() || measuresActivations();
  }

  /**
   * What is to be done to a module; empty: nothing, it is copied. To ask for many modules, keep the
   * {@link RecipeMatcher} of {@link #matcher}.
   */
  public Optional<Choice> choose(String module, String className) {
    return matcher().choose(module, className);
  }

  /** The recipe's patterns, compiled. */
  public RecipeMatcher matcher() {
    return new RecipeMatcher(this);
  }

  /**
   * One line that two recipes share if and only if they ask for the same: sorted keys, with
   * defaults as {@link #toYaml} has them.
   */
  public String canonical() {
    return RecipeText.canonical(modifiers);
  }

  /** SHA-256 of {@link #canonical}, lower-case hex. */
  public String digest() {
    return Sha256.hex(canonical());
  }

  /**
   * The recipe as YAML with defaults written out, those of newer keys apart ({@link
   * SettingKey#isLeftOut}); it parses to an equal recipe.
   */
  public String toYaml() {
    return RecipeText.yaml(modifiers);
  }
}
