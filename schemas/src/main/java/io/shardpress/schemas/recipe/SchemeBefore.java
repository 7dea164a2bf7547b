package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Modifiers as they stand in a file, by name, with schemes where llm-compressor looks for them: a
 * QuantizationModifier gives linears their schemes, and a modifier behind it that learns integers
 * and names no scheme learns those. Both are then one.
 */
final class SchemeBefore {
  /** A modifier's name and what stands under it. */
  record Entry(String name, JsonNode keys) {}

  private static final Set<String> SCHEMES = Set.of("scheme", "config_groups", "kv_cache_scheme");

  private SchemeBefore() {}

  /** The same modifiers with such pairs joined, in order. */
  static List<Entry> joined(List<Entry> entries) {
    List<Entry> joined = new ArrayList<>();
    for (Entry entry : entries) {
      int before = takesScheme(entry) ? lastScheme(joined) : -1;
      if (before < 0) {
        joined.add(entry);
      } else {
        Entry scheme = joined.remove(before);
        joined.add(new Entry(entry.name(), merge(scheme.keys(), entry.keys())));
      }
    }
    return joined;
  }

  private static boolean takesScheme(Entry entry) {
    return ModifierKind.supportedModifiers().contains(entry.name())
        && ModifierKind.ofModifier(entry.name()).learnsFromActivations()
        && (entry.keys().isNull() || entry.keys().isObject())
        && SCHEMES.stream().noneMatch(entry.keys()::hasNonNull);
  }

  private static int lastScheme(List<Entry> entries) {
    for (int i = entries.size() - 1; i >= 0; i--) {
      Entry entry = entries.get(i);
      if (entry.name().equals(ModifierKind.QUANTIZATION.modifier())
          && (entry.keys().hasNonNull("scheme") || entry.keys().hasNonNull("config_groups"))) {
        return i;
      }
    }
    return -1;
  }

  /** The learner's own keys go first; what either ignores is ignored. */
  private static JsonNode merge(JsonNode scheme, JsonNode learner) {
    ObjectNode merged = scheme.deepCopy();
    learner
        .properties()
        .forEach(
            entry -> {
              boolean both = entry.getKey().equals("ignore") && merged.hasNonNull("ignore");
              if (both && !entry.getValue().isNull()) {
                merged.set("ignore", union(merged.get("ignore"), entry.getValue()));
              } else if (!entry.getValue().isNull() || !merged.has(entry.getKey())) {
                merged.set(entry.getKey(), entry.getValue());
              }
            });
    return merged;
  }

  /** Both lists; one that is no list of names stays, to be refused where it is read. */
  private static JsonNode union(JsonNode one, JsonNode other) {
    Set<JsonNode> names = new LinkedHashSet<>();
    for (JsonNode list : List.of(one, other)) {
      if (list.isTextual()) {
        names.add(list);
      } else if (list.isArray()) {
        list.forEach(names::add);
      } else {
        return list;
      }
    }
    ArrayNode all = JsonNodeFactory.instance.arrayNode();
    names.forEach(all::add);
    return all;
  }
}
