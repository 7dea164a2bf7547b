package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An object of compressed-tensors' QuantizationArgs: what weights, input_activations and
 * kv_cache_scheme have in common. A key that is null means its default.
 */
final class QuantizationArgs {
  private static final List<String> MINMAX_NAMES =
      List.of("minmax", "memoryless_minmax", "static_minmax");

  /** Observers that take the least and the largest value. */
  static final Domain MINMAX = new Domain.Choice(MINMAX_NAMES, List.of("mse"));

  /** Those, and such as search for the least squared error. */
  static final Domain OBSERVERS =
      new Domain.Choice(
          Stream.concat(MINMAX_NAMES.stream(), Stream.of("mse", "memoryless_mse")).toList(),
          List.of());

  private final String where;
  private final JsonNode node;
  private final Map<String, Domain> keys;

  /**
   * Reads every key.
   *
   * @param where file, modifier and key, the start of every message
   * @param wanted of the whole object, for messages
   * @param keys what may stand there
   * @throws UsageException for what is unknown, wrong or not supported yet
   */
  QuantizationArgs(String where, JsonNode node, String wanted, Map<String, Domain> keys) {
    this.where = where;
    this.node = node;
    this.keys = keys;
    if (!node.isObject()) {
      throw wrong(where, node, wanted);
    }
    List<String> known = keys.keySet().stream().sorted().toList();
    node.fieldNames().forEachRemaining(key -> known(where, key, known));
    known.forEach(this::read);
  }

  /** The keys that every such object has, those given beside them. */
  static Map<String, Domain> keys(Map<String, Domain> given) {
    Map<String, Domain> keys = new HashMap<>();
    keys.put("block_structure", new Domain.Nothing());
    keys.put("actorder", new Domain.Nothing());
    keys.put("observer_kwargs", new Domain.Anything("settings of the observer"));
    keys.put("scale_dtype", new Domain.Nothing());
    keys.put("zp_dtype", new Domain.Anything("a dtype"));
    keys.put("is_mx", new Domain.Fixed(false));
    keys.putAll(given);
    return Map.copyOf(keys);
  }

  int whole(String key, int standard) {
    return read(key).map(value -> Math.toIntExact((long) value)).orElse(standard);
  }

  boolean flag(String key, boolean standard) {
    return read(key).map(value -> (boolean) value).orElse(standard);
  }

  String text(String key, String standard) {
    return read(key).map(value -> (String) value).orElse(standard);
  }

  /** The order of columns. */
  ActOrder order() {
    return read("actorder").map(value -> (ActOrder) value).orElse(ActOrder.NONE);
  }

  /** Whether the observer searches for the least squared error. */
  boolean searches() {
    return text("observer", "").endsWith("mse");
  }

  boolean has(String key) {
    return node.hasNonNull(key);
  }

  /** The value as it was written. */
  JsonNode raw(String key) {
    return node.path(key);
  }

  /** What is wrong with the value of a key. */
  UsageException wrong(String key, String wanted) {
    return wrong(where + "." + key, node.path(key), wanted);
  }

  private Optional<Object> read(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    Optional<Object> value = keys.get(key).read(node.get(key));
    if (value.isEmpty()) {
      throw wrong(key, keys.get(key).wanted());
    }
    return value;
  }

  static void known(String where, String key, List<String> keys) {
    if (!keys.contains(key)) {
      throw new UsageException(
          where + ": unknown key '" + key + "', the nearest is " + Nearest.to(key, keys));
    }
  }

  static UsageException wrong(String where, JsonNode found, String wanted) {
    String shown = found.isMissingNode() ? "nothing" : found.toString();
    return new UsageException(where + " is " + shown + ", want " + wanted);
  }
}
