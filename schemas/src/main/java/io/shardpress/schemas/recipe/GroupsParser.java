package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Reads {@code config_groups} in the shape that compressed-tensors gave it. What has a meaning that
 * weight-only integers cannot keep is refused, never passed over.
 */
final class GroupsParser {
  /** Keys of {@code weights}, each with the values that may stand there. */
  private static final Map<String, Domain> WEIGHTS =
      Map.ofEntries(
          Map.entry("num_bits", new Domain.Whole(2, 8)),
          Map.entry("type", new Domain.Choice(List.of("int"), List.of("float"))),
          Map.entry("symmetric", new Domain.Flag()),
          Map.entry(
              "strategy",
              new Domain.Choice(List.of("group", "channel"), List.of("tensor", "block", "token"))),
          Map.entry("group_size", new Domain.Anything("an integer of at least 1, or -1")),
          Map.entry("block_structure", new Domain.Nothing()),
          Map.entry("dynamic", new Domain.Flag()),
          Map.entry("actorder", new Domain.Nothing()),
          Map.entry(
              "observer",
              new Domain.Choice(
                  List.of("minmax", "memoryless_minmax", "static_minmax", "mse", "memoryless_mse"),
                  List.of())),
          Map.entry("observer_kwargs", new Domain.Anything("settings of the observer")),
          Map.entry("scale_dtype", new Domain.Nothing()),
          Map.entry("zp_dtype", new Domain.Anything("a dtype")),
          Map.entry("is_mx", new Domain.Flag()));

  private static final List<String> GROUP =
      List.of("targets", "weights", "input_activations", "output_activations", "format");

  private final List<SchemeGroup> groups = new ArrayList<>();
  private boolean searchesSteps;

  /**
   * Reads all groups in their order.
   *
   * @param where file and modifier, the start of every message
   * @throws UsageException for what is unknown, wrong or not supported yet
   */
  GroupsParser(String where, JsonNode node) {
    if (!node.isObject() || node.isEmpty()) {
      throw wrong(
          where + ": config_groups", node, "a group of groups: {group_0: {targets, weights}}");
    }
    node.properties()
        .forEach(entry -> group(where + ": config_groups." + entry.getKey(), entry.getValue()));
  }

  List<SchemeGroup> groups() {
    return List.copyOf(groups);
  }

  /** Whether a group asks for llm-compressor's mse observer, a search for the step. */
  boolean searchesSteps() {
    return searchesSteps;
  }

  private void group(String where, JsonNode node) {
    if (!node.isObject()) {
      throw wrong(where, node, "{targets: …, weights: …}");
    }
    node.fieldNames().forEachRemaining(key -> known(where, key, GROUP));
    for (String activations : List.of("input_activations", "output_activations")) {
      if (node.hasNonNull(activations)) {
        throw new UsageException(
            where + "." + activations + ": quantized activations are not supported yet; want null");
      }
    }
    List<?> targets =
        new Domain.Names()
            .read(node.path("targets"))
            .map(names -> (List<?>) names)
            .filter(names -> !names.isEmpty())
            .orElseThrow(
                () ->
                    wrong(
                        where + ".targets", node.path("targets"), "a list of at least one string"));
    JsonNode weights = node.path("weights");
    if (!weights.isObject()) {
      throw wrong(where + ".weights", weights, "{num_bits: …, symmetric: …, strategy: …}");
    }
    groups.add(
        new SchemeGroup(
            targets.stream().map(String.class::cast).toList(),
            scheme(where + ".weights", weights)));
  }

  private WeightScheme scheme(String where, JsonNode node) {
    node.fieldNames()
        .forEachRemaining(key -> known(where, key, WEIGHTS.keySet().stream().sorted().toList()));
    int bits = read(where, node, "num_bits").map(v -> Math.toIntExact((long) v)).orElse(8);
    if (bits > 4 && bits < 8) {
      throw wrong(where + ".num_bits", node.get("num_bits"), "2, 3, 4 or 8");
    }
    for (String key : WEIGHTS.keySet()) {
      read(where, node, key);
    }
    if (node.path("dynamic").asBoolean() || node.path("is_mx").asBoolean()) {
      throw new UsageException(where + ": dynamic and is_mx are not for weights; want false");
    }
    String observer = node.path("observer").asText("");
    searchesSteps |= observer.endsWith("mse");
    boolean symmetric = read(where, node, "symmetric").map(v -> (boolean) v).orElse(true);
    return new WeightScheme(bits, symmetric, groupSizeByStrategy(where, node));
  }

  /** By compressed-tensors' rule: a size alone means strategy group, -1 alone means channel. */
  private static int groupSizeByStrategy(String where, JsonNode node) {
    JsonNode sizeNode = node.path("group_size");
    OptionalInt size =
        node.hasNonNull("group_size")
            ? groupSize(where + ".group_size", sizeNode)
            : OptionalInt.empty();
    String strategy = node.path("strategy").asText("");
    if (strategy.isEmpty() || strategy.equals("null")) {
      return size.orElseThrow(
          () ->
              new UsageException(
                  where + ": neither strategy nor group_size; want strategy: group or channel"));
    }
    if (strategy.equals("channel")) {
      if (size.orElse(0) != 0) {
        throw wrong(where + ".group_size", sizeNode, "null for strategy channel");
      }
      return 0;
    }
    if (size.orElse(0) == 0) {
      throw wrong(where + ".group_size", sizeNode, "an integer of at least 1 for strategy group");
    }
    return size.getAsInt();
  }

  /** A group size as recipes write it: 0 for channel and -1. */
  static OptionalInt groupSize(String where, JsonNode node) {
    if (node.asText().equals("channel") || node.asText().equals("-1")) {
      return OptionalInt.of(0);
    }
    return OptionalInt.of(
        new Domain.Whole(1, Integer.MAX_VALUE)
            .read(node)
            .map(v -> Math.toIntExact((long) v))
            .orElseThrow(() -> wrong(where, node, "an integer of at least 1, or channel")));
  }

  private static Optional<Object> read(String where, JsonNode node, String key) {
    if (!node.hasNonNull(key)) {
      return Optional.empty();
    }
    Domain domain = WEIGHTS.get(key);
    Optional<Object> value = domain.read(node.get(key));
    if (value.isEmpty()) {
      throw wrong(where + "." + key, node.get(key), domain.wanted());
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
