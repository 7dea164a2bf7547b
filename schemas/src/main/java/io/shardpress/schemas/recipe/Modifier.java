package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One step of a recipe: which modules, stored how, learned by which algorithm with what settings.
 * What the settings mean to an algorithm say {@link GptqSettings}, {@link BlockwiseSettings},
 * {@link LrqSettings} and their like.
 */
public final class Modifier implements Serializable {
  private static final long serialVersionUID = 1;

  private final ModifierKind kind;
  private final List<SchemeGroup> groups;
  private final List<String> ignore;
  private final EnumMap<SettingKey, Object> settings;
  private final KvCacheScheme kvCache;
  private final List<LayerMapping> mappings;

  /**
   * @param groups targets and their schemes; the first that matches a module wins; empty only where
   *     the kind does not quantize by itself
   * @param ignore modules left as they are even where a group matches; written like targets
   * @param given values by key; what is missing takes its default
   */
  Modifier(ModifierKind kind, List<SchemeGroup> groups, List<String> ignore, Settings given) {
    this.kind = kind;
    this.groups = List.copyOf(groups);
    this.ignore = List.copyOf(ignore);
    this.settings = new EnumMap<>(SettingKey.class);
    this.kvCache =
        kind.takesScheme() && given.has(SettingKey.KV_CACHE_SCHEME)
            ? (KvCacheScheme) given.get(SettingKey.KV_CACHE_SCHEME)
            : null;
    this.mappings = kind.transforms() ? given.mappings() : List.of();
    for (SettingKey key : SettingKey.values()) {
      if (key.kinds().contains(kind) && key.isSetting()) {
        settings.put(key, given.has(key) ? given.get(key) : key.standard(kind));
      }
    }
  }

  /** The algorithm. */
  public ModifierKind kind() {
    return kind;
  }

  /** Targets and their schemes; the first group that matches a module wins. */
  public List<SchemeGroup> groups() {
    return groups;
  }

  /** Modules left as they are even where a group matches; targets as in a group. */
  public List<String> ignore() {
    return ignore;
  }

  /** How the model's keys and values are cached; null: as they are. */
  public KvCacheScheme kvCache() {
    return kvCache;
  }

  /**
   * Which layers take s and 1/s, of a modifier that scales weights; empty: all that a block can
   * fold.
   */
  public List<LayerMapping> mappings() {
    return mappings;
  }

  /**
   * The settings of the algorithm by their keys, defaults written out but for those that {@link
   * SettingKey#isLeftOut}: Boolean, Long, Double or String, in the order in which a recipe shows
   * them.
   */
  public Map<String, Object> settings() {
    Map<String, Object> byName = new LinkedHashMap<>();
    settings.forEach(
        (key, value) -> {
          if (!key.isLeftOut(kind, value)) {
            byName.put(key.key(), value);
          }
        });
    return Collections.unmodifiableMap(byName);
  }

  /** Whether the algorithm has such a setting. */
  boolean has(SettingKey key) {
    return settings.containsKey(key);
  }

  boolean flag(SettingKey key) {
    return (boolean) value(key);
  }

  int whole(SettingKey key) {
    return Math.toIntExact((long) value(key));
  }

  double real(SettingKey key) {
    return (double) value(key);
  }

  String word(SettingKey key) {
    return (String) value(key);
  }

  long wide(SettingKey key) {
    return (long) value(key);
  }

  private Object value(SettingKey key) {
    Object value = settings.get(key);
    if (value == null) {
      throw new IllegalArgumentException(kind + " has no setting " + key.key());
    }
    return value;
  }

  /** The same with another seed; itself where nothing is random. */
  public Modifier withSeed(long seed) {
    if (!settings.containsKey(SettingKey.SEED)) {
      return this;
    }
    Settings changed = new Settings();
    settings.forEach(changed::put);
    changed.put(SettingKey.SEED, seed);
    if (kvCache != null) {
      changed.put(SettingKey.KV_CACHE_SCHEME, kvCache);
    }
    if (!mappings.isEmpty()) {
      changed.put(SettingKey.MAPPINGS, mappings);
    }
    return new Modifier(kind, groups, ignore, changed);
  }

  /** The seed of its random numbers; 0 where nothing is random. */
  public long seed() {
    return settings.containsKey(SettingKey.SEED) ? wide(SettingKey.SEED) : 0;
  }

  /** One line that holds all that its results depend on; see {@link Recipe#canonical}. */
  public String canonical() {
    return RecipeText.canonical(this);
  }

  /** Whether it learns by the output error of whole blocks. */
  public boolean learnsByBlocks() {
    return kind.blockwise()
        && !(kind == ModifierKind.LRQ
            && LrqSettings.of(this).objective() == LrqSettings.Objective.LAYER);
  }

  /** Whether its blocks are solved by GPTQ, as the result or as where it starts. */
  public boolean solvesByGptq() {
    if (!learnsByBlocks()) {
      return kind.startsFromGptq() || kind == ModifierKind.LRQ;
    }
    return settings.containsKey(SettingKey.INIT) && word(SettingKey.INIT).equals("gptq");
  }

  /** Whether it needs calibration text. */
  public boolean calibrated() {
    return kind.calibrated();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Modifier that
        && kind == that.kind
        && groups.equals(that.groups)
        && ignore.equals(that.ignore)
        && settings.equals(that.settings)
        && Objects.equals(kvCache, that.kvCache)
        && mappings.equals(that.mappings);
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, groups, ignore, settings, kvCache, mappings);
  }

  @Override
  public String toString() {
    return canonical();
  }
}
