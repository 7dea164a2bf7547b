package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Reads {@code config_groups} in the shape that compressed-tensors gave it. What has a meaning that
 * integers cannot keep is refused, never passed over.
 */
final class GroupsParser {
  private static final Map<String, Domain> WEIGHTS =
      QuantizationArgs.keys(
          Map.of(
              "num_bits", new Domain.Whole(2, 8),
              "type", new Domain.Choice(List.of("int"), List.of("float")),
              "symmetric", new Domain.Flag(),
              "strategy",
                  new Domain.Choice(
                      List.of("group", "channel"), List.of("tensor", "block", "token")),
              "group_size", new Domain.Anything("an integer of at least 1, or -1"),
              "dynamic", new Domain.Fixed(false),
              "actorder", new Domain.Order(),
              "observer", QuantizationArgs.OBSERVERS));

  private static final Map<String, Domain> ACTIVATIONS =
      QuantizationArgs.keys(
          Map.of(
              "num_bits", new Domain.Whole(8, 8),
              "type", new Domain.Choice(List.of("int"), List.of("float")),
              "symmetric", new Domain.Flag(),
              "strategy",
                  new Domain.Choice(
                      List.of("token", "tensor"), List.of("group", "channel", "tensor_group")),
              "group_size", new Domain.Nothing(),
              "dynamic", new Domain.Flag(),
              "observer", QuantizationArgs.OBSERVERS));

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
      throw QuantizationArgs.wrong(
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
      throw QuantizationArgs.wrong(where, node, "{targets: …, weights: …}");
    }
    node.fieldNames().forEachRemaining(key -> QuantizationArgs.known(where, key, GROUP));
    if (node.hasNonNull("output_activations")) {
      throw new UsageException(
          where
              + ".output_activations: quantized outputs are not supported; want null, and"
              + " kv_cache_scheme for keys and values");
    }
    List<?> targets =
        new Domain.Names()
            .read(node.path("targets"))
            .map(names -> (List<?>) names)
            .filter(names -> !names.isEmpty())
            .orElseThrow(
                () ->
                    QuantizationArgs.wrong(
                        where + ".targets", node.path("targets"), "a list of at least one string"));
    groups.add(
        new SchemeGroup(
            targets.stream().map(String.class::cast).toList(),
            scheme(where + ".weights", node.path("weights")),
            activations(where + ".input_activations", node.path("input_activations"))));
  }

  private WeightScheme scheme(String where, JsonNode node) {
    QuantizationArgs args =
        new QuantizationArgs(where, node, "{num_bits: …, symmetric: …, strategy: …}", WEIGHTS);
    int bits = args.whole("num_bits", 8);
    if (bits > 4 && bits < 8) {
      throw args.wrong("num_bits", "2, 3, 4 or 8");
    }
    searchesSteps |= args.searches();
    int size = groupSizeByStrategy(where, node);
    return new WeightScheme(bits, args.flag("symmetric", true), size).withOrder(args.order());
  }

  /** Null for null. By compressed-tensors' rule nothing said of the strategy means tensor. */
  private static ActivationScheme activations(String where, JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    QuantizationArgs args =
        new QuantizationArgs(
            where, node, "null or {num_bits: 8, strategy: …, dynamic: …}", ACTIVATIONS);
    boolean dynamic = args.flag("dynamic", false);
    boolean token = args.text("strategy", "tensor").equals("token");
    if (dynamic != token) {
      throw args.wrong(
          "strategy",
          dynamic
              ? "token, as dynamic is true: one scale for all tokens is calibrated, not dynamic"
              : "tensor, as dynamic is false: a token's scale can only be dynamic");
    }
    boolean symmetric = args.flag("symmetric", true);
    if (dynamic && !symmetric) {
      throw args.wrong("symmetric", "true where dynamic is true (zero points need calibration)");
    }
    boolean search = args.searches() && !dynamic;
    return new ActivationScheme(args.whole("num_bits", 8), symmetric, dynamic, search);
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
        throw QuantizationArgs.wrong(where + ".group_size", sizeNode, "null for strategy channel");
      }
      return 0;
    }
    if (size.orElse(0) == 0) {
      throw QuantizationArgs.wrong(
          where + ".group_size", sizeNode, "an integer of at least 1 for strategy group");
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
            .orElseThrow(
                () -> QuantizationArgs.wrong(where, node, "an integer of at least 1, or channel")));
  }
}
