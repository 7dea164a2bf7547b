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
              "type", new Domain.Choice(List.of("int", "float"), List.of()),
              "symmetric", new Domain.Flag(),
              "strategy",
                  new Domain.Choice(
                      List.of("group", "channel", "tensor", "block", "tensor_group"),
                      List.of("token")),
              "group_size", new Domain.Anything("an integer of at least 1, or -1"),
              "block_structure", new Domain.Anything("[128, 128] for strategy block"),
              "scale_dtype", new Domain.Anything("a dtype"),
              "dynamic", new Domain.Fixed(false),
              "actorder", new Domain.Order(),
              "observer", QuantizationArgs.OBSERVERS));

  private static final Map<String, Domain> ACTIVATIONS =
      QuantizationArgs.keys(
          Map.of(
              "num_bits", new Domain.Whole(8, 8),
              "type", new Domain.Choice(List.of("int", "float"), List.of()),
              "symmetric", new Domain.Flag(),
              "strategy",
                  new Domain.Choice(
                      List.of("token", "tensor", "group"), List.of("channel", "tensor_group")),
              "group_size", new Domain.Anything("128 for strategy group, or null"),
              "dynamic", new Domain.Flag(),
              "observer", QuantizationArgs.OBSERVERS));

  private static final List<String> GROUP =
      List.of("targets", "weights", "input_activations", "output_activations", "format");

  private static final String BLOCK_STRUCTURE = "[128,128]";

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
    SchemeGroup group =
        new SchemeGroup(
            targets.stream().map(String.class::cast).toList(),
            scheme(where + ".weights", node.path("weights")),
            activations(where + ".input_activations", node.path("input_activations")));
    if (group.activations() != null
        && group.activations().floating() != group.weights().floating()) {
      throw new UsageException(
          where
              + ".input_activations.type is "
              + group.activations().type()
              + ", want that of the weights, int or float for both");
    }
    if (group.weights().form().fp4() && group.activations() != null) {
      throw new UsageException(
          where
              + ".input_activations.num_bits is "
              + group.activations().bits()
              + ", want null for weights of 4 bits and type float: their inputs stay as they are");
    }
    groups.add(group);
  }

  private WeightScheme scheme(String where, JsonNode node) {
    QuantizationArgs args =
        new QuantizationArgs(where, node, "{num_bits: …, symmetric: …, strategy: …}", WEIGHTS);
    int bits = args.whole("num_bits", 8);
    if (args.text("type", "int").equals("float")) {
      return floating(args, bits);
    }
    // By compressed-tensors' rule nothing said of what shares a scale means all of the weight.
    String strategy = args.text("strategy", args.has("group_size") ? "group" : "tensor");
    if (args.has("scale_dtype")) {
      throw args.wrong("scale_dtype", "null for type int");
    }
    if (List.of("block", "tensor_group").contains(strategy)) {
      throw args.wrong("strategy", "tensor, channel or group for type int");
    }
    if (args.has("block_structure")) {
      throw args.wrong("block_structure", "null for type int");
    }
    if (bits > 4 && bits < 8) {
      throw args.wrong("num_bits", "2, 3, 4 or 8");
    }
    searchesSteps |= args.searches();
    if (strategy.equals("tensor")) {
      return perTensor(args, bits);
    }
    int size = groupSizeByStrategy(where, node);
    return new WeightScheme(bits, args.flag("symmetric", true), size).withOrder(args.order());
  }

  private static WeightScheme perTensor(QuantizationArgs args, int bits) {
    if (!args.flag("symmetric", true)) {
      throw args.wrong("symmetric", "true for strategy tensor");
    }
    if (args.has("group_size")) {
      throw args.wrong("group_size", "null for strategy tensor");
    }
    if (args.order() != ActOrder.NONE) {
      throw args.wrong("actorder", "null for strategy tensor");
    }
    return WeightScheme.perTensor(bits);
  }

  private static WeightScheme floating(QuantizationArgs args, int bits) {
    if (bits != 4 && bits != 8) {
      throw args.wrong("num_bits", "4 or 8 for type float");
    }
    if (!args.flag("symmetric", true)) {
      throw args.wrong("symmetric", "true for type float");
    }
    if (args.order() != ActOrder.NONE) {
      throw args.wrong("actorder", "null for type float");
    }
    if (args.searches()) {
      throw args.wrong("observer", "minmax for type float");
    }
    return WeightScheme.of(bits == 4 ? fp4(args) : fp8(args));
  }

  /** MXFP4 in groups of 32; NVFP4 in groups of 16 beside a scale for the tensor. */
  private static WeightForm fp4(QuantizationArgs args) {
    if (args.has("block_structure")) {
      throw args.wrong("block_structure", "null but for strategy block");
    }
    WeightForm form =
        switch (args.text("strategy", "group")) {
          case "group" -> WeightForm.MXFP4;
          case "tensor_group" -> WeightForm.NVFP4;
          default -> throw args.wrong("strategy", "group or tensor_group for 4 bits of type float");
        };
    String size = String.valueOf(WeightScheme.of(form).groupSize());
    if (!args.raw("group_size").asText().equals(size)) {
      throw args.wrong("group_size", size + " for strategy " + form.strategy() + " of type float");
    }
    return form;
  }

  private static WeightForm fp8(QuantizationArgs args) {
    if (args.has("scale_dtype")) {
      throw args.wrong("scale_dtype", "null for 8 bits of type float");
    }
    if (args.has("group_size") && !args.raw("group_size").asText().equals("-1")) {
      throw args.wrong("group_size", "null for type float");
    }
    WeightForm form =
        switch (args.text("strategy", "tensor")) {
          case "tensor" -> WeightForm.FP8_TENSOR;
          case "channel" -> WeightForm.FP8_CHANNEL;
          case "block" -> WeightForm.FP8_BLOCK;
          default -> throw args.wrong("strategy", "tensor, channel or block for type float");
        };
    boolean block = form == WeightForm.FP8_BLOCK;
    String sides = args.raw("block_structure").toString().replaceAll("[\\s\"]", "");
    if (block ? !sides.equals(BLOCK_STRUCTURE) : args.has("block_structure")) {
      throw args.wrong("block_structure", block ? "[128, 128]" : "null but for strategy block");
    }
    return form;
  }

  private static ActivationScheme fp8(QuantizationArgs args, boolean dynamic) {
    if (!args.flag("symmetric", true)) {
      throw args.wrong("symmetric", "true for type float");
    }
    if (args.searches()) {
      throw args.wrong("observer", "minmax for type float");
    }
    boolean grouped = args.text("strategy", "tensor").equals("group");
    if (grouped && !args.raw("group_size").asText().equals(String.valueOf(WeightForm.BLOCK))) {
      throw args.wrong("group_size", "128 for strategy group");
    }
    return ActivationScheme.fp8(dynamic, grouped ? WeightForm.BLOCK : 0);
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
    boolean floating = args.text("type", "int").equals("float");
    String strategy = args.text("strategy", "tensor");
    if (strategy.equals("group") && !floating) {
      throw args.wrong("strategy", "token or tensor for type int");
    }
    if (!strategy.equals("group") && args.has("group_size")) {
      throw args.wrong("group_size", "null but for strategy group");
    }
    boolean token = !strategy.equals("tensor");
    if (dynamic != token) {
      throw args.wrong(
          "strategy",
          dynamic
              ? "token, as dynamic is true: one scale for all tokens is calibrated, not dynamic"
              : "tensor, as dynamic is false: a token's scale can only be dynamic");
    }
    if (floating) {
      return fp8(args, dynamic);
    }
    boolean symmetric = args.flag("symmetric", true);
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
