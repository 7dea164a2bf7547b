package io.shardpress.schemas.recipe;

import static io.shardpress.schemas.recipe.QuantizationArgs.wrong;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads one modifier's keys by the table of {@link SettingKey}. */
final class ModifierParser {
  private static final String EMBEDDING = "Embedding";

  private final String where;
  private final ModifierKind kind;
  private final Settings settings = new Settings();

  private ModifierParser(String where, ModifierKind kind) {
    this.where = where;
    this.kind = kind;
  }

  static Modifier parse(String source, String name, JsonNode node) {
    String where = source + ": " + name;
    ForeignModifiers.refuse(source, name);
    ModifierKind kind;
    try {
      kind = ModifierKind.ofModifier(name);
    } catch (UsageException e) {
      throw new UsageException(source + ": " + e.getMessage(), e);
    }
    if (!node.isObject() && !node.isNull()) {
      throw wrong(where, node, "keys and values");
    }
    return new ModifierParser(where, kind).parse(node);
  }

  private Modifier parse(JsonNode node) {
    List<SettingKey> keys = SettingKey.of(kind);
    List<String> names = keys.stream().map(SettingKey::key).toList();
    node.properties()
        .forEach(
            entry -> {
              Optional<SettingKey> key =
                  keys.stream().filter(one -> one.isSpelled(entry.getKey())).findFirst();
              if (key.isEmpty()) {
                QuantizationArgs.known(where, entry.getKey(), names);
              }
              read(key.orElseThrow(), entry.getKey(), entry.getValue());
            });
    kvCache();
    mappings();
    scaleIterations();
    List<SchemeGroup> groups = groups();
    List<String> ignore = kind.tunes() ? List.of() : settings.names(SettingKey.IGNORE);
    compile(groups, ignore);
    return build(kind, groups, ignore, settings);
  }

  /** A modifier of that kind; what the settings do not hold takes its default. */
  static Modifier build(
      ModifierKind kind, List<SchemeGroup> groups, List<String> ignore, Settings settings) {
    return new Modifier(kind, groups, ignore, settings);
  }

  private void read(SettingKey key, String spelled, JsonNode node) {
    if (node.isNull()) {
      // Written by a dump of defaults; the default is what is meant.
      return;
    }
    if (settings.has(key)) {
      throw new UsageException(
          "%s: both %s and %s, which mean the same; want one of them"
              .formatted(where, key.key(), key.elsewhere()));
    }
    settings.put(
        key,
        key.domain()
            .read(node)
            .orElseThrow(() -> wrong(where + "." + spelled, node, key.domain().wanted())));
  }

  /** Puts what was read in place of what was written. */
  private void kvCache() {
    if (settings.has(SettingKey.KV_CACHE_SCHEME)) {
      JsonNode node = (JsonNode) settings.get(SettingKey.KV_CACHE_SCHEME);
      settings.put(
          SettingKey.KV_CACHE_SCHEME, KvCacheScheme.parse(where + ".kv_cache_scheme", node));
    }
  }

  private void mappings() {
    if (settings.has(SettingKey.MAPPINGS)) {
      JsonNode node = (JsonNode) settings.get(SettingKey.MAPPINGS);
      List<LayerMapping> mappings = LayerMapping.parse(where + ".mappings", node);
      for (LayerMapping mapping : mappings) {
        compile(List.of(mapping.smooth()));
        compile(mapping.balance());
      }
      settings.put(SettingKey.MAPPINGS, mappings);
    }
  }

  /** By layer, steps on the scales are taken only where a recipe asks for them. */
  private void scaleIterations() {
    if (kind == ModifierKind.LRQ
        && settings.word(SettingKey.OBJECTIVE).equals("layer")
        && !settings.has(SettingKey.SCALE_ITERATIONS)) {
      settings.put(SettingKey.SCALE_ITERATIONS, 0L);
    }
  }

  private List<SchemeGroup> groups() {
    if (!kind.takesScheme()) {
      return List.of();
    }
    boolean scheme = settings.has(SettingKey.SCHEME);
    boolean configGroups = settings.has(SettingKey.CONFIG_GROUPS);
    if (scheme && configGroups) {
      throw new UsageException(where + ": both scheme and config_groups; want one of them");
    }
    boolean cacheOnly =
        kind == ModifierKind.QUANTIZATION && settings.has(SettingKey.KV_CACHE_SCHEME);
    if (!scheme && !configGroups && (cacheOnly || !kind.needsScheme())) {
      return List.of();
    }
    if (!scheme && !configGroups) {
      throw new UsageException(where + ": neither scheme nor config_groups; want one of them");
    }
    List<SchemeGroup> groups = scheme ? ofScheme() : ofConfigGroups();
    groups.forEach(this::checkTargets);
    ObserverNames observers = ObserverNames.of(where, settings);
    if (observers.searchesWeights()) {
      searchSteps();
    }
    return groups.stream()
        .map(group -> observers.applied(where, group))
        .map(this::ordered)
        .map(this::withOutliers)
        .toList();
  }

  /** What an observer of the least squared error asks for. */
  private void searchSteps() {
    if (settings.has(SettingKey.STEP_SEARCH) && !settings.flag(SettingKey.STEP_SEARCH)) {
      throw new UsageException(
          where + ": observer mse and step_search false contradict each other; leave one out");
    }
    if (SettingKey.STEP_SEARCH.kinds().contains(kind)) {
      settings.put(SettingKey.STEP_SEARCH, true);
    }
  }

  /** Only linears are quantized; a class that is none would be passed over. */
  private void checkTargets(SchemeGroup group) {
    if (group.targets().contains(EMBEDDING)) {
      throw new UsageException(
          where
              + ": a target is Embedding, and embeddings stay as they are; leave "
              + EMBEDDING
              + " out");
    }
  }

  /**
   * The group with the order of columns that stands beside it, as in llm-compressor, or its own.
   */
  private SchemeGroup ordered(SchemeGroup group) {
    if (group.weights().floating()) {
      return group;
    }
    ActOrder own = group.weights().order();
    ActOrder order = settings.has(SettingKey.ACTORDER) ? settings.order() : own;
    if (own != ActOrder.NONE && own != order) {
      throw new UsageException(
          where
              + ".actorder is "
              + order.word()
              + ", and weights of a config group have "
              + own.word()
              + "; leave one of them out");
    }
    if (order != ActOrder.NONE) {
      checkOrder(order, group);
    }
    return group.withWeights(group.weights().withOrder(order));
  }

  private SchemeGroup withOutliers(SchemeGroup group) {
    boolean keeps = kind == ModifierKind.EASY_QUANT && settings.flag(SettingKey.OUTLIERS);
    if (!keeps || group.weights().floating()) {
      return group;
    }
    if (group.activations() != null) {
      throw new UsageException(
          where
              + ".outliers is true, want false with quantized inputs: outliers are multiplied by"
              + " inputs as they are");
    }
    return group.withWeights(group.weights().withOutliers(true));
  }

  private void checkOrder(ActOrder order, SchemeGroup group) {
    boolean byGroup = order == ActOrder.GROUP;
    String wanted = null;
    if (!kind.startsFromGptq() && kind != ModifierKind.LRQ) {
      wanted = "null: only GPTQ rounds columns in an order";
    } else if (kind == ModifierKind.LRQ && settings.word(SettingKey.INIT).equals("rtn")) {
      wanted = "null with init rtn: only GPTQ rounds columns in an order";
    } else if (kind == ModifierKind.LRQ && settings.word(SettingKey.OBJECTIVE).equals("layer")) {
      wanted = "null with objective layer, which rounds columns in their own order";
    } else if (kind == ModifierKind.LRQ && byGroup) {
      wanted = "static or null: LRQ learns groups of neighbouring columns";
    } else if (kind == ModifierKind.COUPLED && byGroup) {
      wanted = "static or null: coupled descent knows groups of neighbouring columns";
    } else if (byGroup && group.weights().perChannel()) {
      wanted = "static or null per channel, where there are no groups";
    } else if (byGroup && group.activations() != null) {
      wanted = "static or null with input_activations: int-quantized has no weight_g_idx";
    } else if (byGroup
        && settings.has(SettingKey.SCALE_ITERATIONS)
        && settings.whole(SettingKey.SCALE_ITERATIONS) > 0) {
      wanted =
          "static or null with scale_iterations, whose steps know groups of neighbouring columns";
    }
    if (wanted != null) {
      throw new UsageException(where + ": actorder is " + order.word() + ", want " + wanted);
    }
  }

  private List<SchemeGroup> ofScheme() {
    JsonNode scheme = (JsonNode) settings.get(SettingKey.SCHEME);
    OptionalInt size =
        settings.has(SettingKey.GROUP_SIZE)
            ? GroupsParser.groupSize(
                where + ".group_size", (JsonNode) settings.get(SettingKey.GROUP_SIZE))
            : OptionalInt.empty();
    if (scheme.isTextual()) {
      List<String> targets = settings.names(SettingKey.TARGETS);
      if (targets.isEmpty()) {
        throw new UsageException(where + ".targets is empty, want at least one target");
      }
      return List.of(group(targets, scheme.asText(), size));
    }
    if (!scheme.isObject() || scheme.isEmpty()) {
      throw wrong(where + ".scheme", scheme, SettingKey.SCHEME.domain().wanted());
    }
    List<SchemeGroup> groups = new ArrayList<>();
    scheme
        .properties()
        .forEach(
            entry -> {
              List<?> targets =
                  (List<?>)
                      SettingKey.TARGETS
                          .domain()
                          .read(entry.getValue())
                          .filter(names -> !((List<?>) names).isEmpty())
                          .orElseThrow(
                              () ->
                                  wrong(
                                      where + ".scheme." + entry.getKey(),
                                      entry.getValue(),
                                      "a list of at least one target"));
              groups.add(
                  group(targets.stream().map(String.class::cast).toList(), entry.getKey(), size));
            });
    return groups;
  }

  private SchemeGroup group(List<String> targets, String name, OptionalInt size) {
    Scheme scheme;
    try {
      scheme = Schemes.named(name, size);
    } catch (UsageException e) {
      throw new UsageException(where + ": " + e.getMessage(), e);
    }
    if (scheme.kvCache() != null) {
      if (settings.has(SettingKey.KV_CACHE_SCHEME)
          && !settings.get(SettingKey.KV_CACHE_SCHEME).equals(scheme.kvCache())) {
        throw new UsageException(
            where
                + ": scheme "
                + name
                + " caches keys and values as "
                + scheme.kvCache().type()
                + ", and kv_cache_scheme says otherwise; take W4A8 with kv_cache_scheme");
      }
      settings.put(SettingKey.KV_CACHE_SCHEME, scheme.kvCache());
    }
    return new SchemeGroup(targets, scheme.weights(), scheme.activations());
  }

  private List<SchemeGroup> ofConfigGroups() {
    if (settings.has(SettingKey.GROUP_SIZE)) {
      throw new UsageException(
          where + ": group_size belongs into the weights of each config group");
    }
    // llm-compressor writes its default beside config_groups, where it means nothing.
    if (!settings.names(SettingKey.TARGETS).equals(SettingKey.TARGETS.standard())) {
      throw new UsageException(where + ": targets belong into each config group");
    }
    GroupsParser parser =
        new GroupsParser(where, (JsonNode) settings.get(SettingKey.CONFIG_GROUPS));
    if (parser.searchesSteps()) {
      searchSteps();
    }
    return parser.groups();
  }

  private void compile(List<SchemeGroup> groups, List<String> ignore) {
    groups.forEach(group -> compile(group.targets()));
    compile(ignore);
  }

  private void compile(List<String> targets) {
    try {
      new TargetMatcher(targets);
    } catch (UsageException e) {
      throw new UsageException(where + ": " + e.getMessage(), e);
    }
  }
}
