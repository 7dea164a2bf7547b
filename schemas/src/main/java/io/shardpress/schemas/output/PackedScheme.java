package io.shardpress.schemas.output;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.KvCacheScheme;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.TargetMatcher;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a {@code quantization_config} says of each linear: the other way of {@link
 * CompressedTensors}. Of compressed-tensors' formats it takes those of {@link LinearFormat};
 * whatever would change the meaning of the integers and is not known here is refused.
 */
public final class PackedScheme {
  /** The class name of every linear. */
  public static final String LINEAR = "Linear";

  private record Group(TargetMatcher targets, SchemeGroup scheme) {}

  private final String where;
  private final TargetMatcher ignore;
  private final List<Group> groups = new ArrayList<>();
  private final KvCacheScheme kvCache;

  private PackedScheme(String where, JsonNode config) {
    this.where = where;
    want("quant_method", config.path("quant_method"), "compressed-tensors");
    this.ignore = matcher("ignore", config.path("ignore"));
    JsonNode named = config.path("config_groups");
    boolean cacheOnly = config.hasNonNull("kv_cache_scheme");
    if (!named.isObject() || (named.isEmpty() && !cacheOnly)) {
      throw wrong("config_groups", named, "an object of at least one group");
    }
    for (Map.Entry<String, JsonNode> entry : named.properties()) {
      String name = "config_groups." + entry.getKey();
      groups.add(group(name, entry.getValue(), config.path("format")));
    }
    this.kvCache = kvCache(config.path("kv_cache_scheme"));
  }

  /**
   * Reads the value of {@code quantization_config}.
   *
   * @param file of config.json, for messages
   * @throws CheckpointException naming the key, the value found and the value wanted
   */
  public static PackedScheme parse(String file, JsonNode config) {
    return new PackedScheme(file + ": quantization_config", config);
  }

  /** How a linear is stored; empty where it is to be as it was. The first group wins. */
  public Optional<SchemeGroup> of(String module) {
    if (ignore.matches(module, LINEAR)) {
      return Optional.empty();
    }
    return groups.stream()
        .filter(group -> group.targets().matches(module, LINEAR))
        .map(Group::scheme)
        .findFirst();
  }

  /** How keys and values are cached; empty: as they are. */
  public Optional<KvCacheScheme> kvCache() {
    return Optional.ofNullable(kvCache);
  }

  private Group group(String name, JsonNode node, JsonNode formatOfAll) {
    TargetMatcher targets = matcher(name + ".targets", node.path("targets"));
    boolean own = node.hasNonNull("format");
    String format = (own ? node.path("format") : formatOfAll).asText();
    boolean outliers = format.equals(LinearFormat.PACK_QUANTIZED_OUTLIERS.word());
    SchemeGroup scheme =
        new SchemeGroup(
            List.of(),
            withOutliers(weights(name + ".weights", node.path("weights")), outliers),
            activations(name + ".input_activations", node.path("input_activations")));
    if (scheme.activations() != null
        && scheme.activations().floating() != scheme.weights().floating()) {
      throw wrong(
          name + ".input_activations.type", node.at("/input_activations/type"), "the weights' own");
    }
    if (scheme.weights().form().fp4() && scheme.activations() != null) {
      throw wrong(
          name + ".input_activations", node.path("input_activations"), "null for FP4 weights");
    }
    if (scheme.weights().indexed() && scheme.activations() != null) {
      throw wrong(
          name + ".weights.actorder",
          node.at("/weights/actorder"),
          "null or static with input_activations");
    }
    if (node.hasNonNull("output_activations")) {
      throw wrong(
          name + ".output_activations", node.path("output_activations"), "null: outputs stay");
    }
    String wanted = LinearFormat.of(scheme).word();
    if (own || !formatOfAll.asText().equals(CompressedTensors.MIXED)) {
      want(own ? name + ".format" : "format", own ? node.path("format") : formatOfAll, wanted);
    }
    return new Group(targets, scheme);
  }

  private static WeightScheme withOutliers(WeightScheme weights, boolean outliers) {
    return weights.floating() ? weights : weights.withOutliers(outliers);
  }

  private ActivationScheme activations(String name, JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    boolean floating = node.path("type").asText().equals("float");
    eightBits(name, node, floating ? "float" : "int");
    JsonNode dynamic = node.path("dynamic");
    if (!dynamic.isBoolean()) {
      throw wrong(name + ".dynamic", dynamic, "true or false");
    }
    if (floating) {
      return fp8Inputs(name, node, dynamic.asBoolean());
    }
    want(name + ".strategy", node.path("strategy"), dynamic.asBoolean() ? "token" : "tensor");
    JsonNode symmetric = node.path("symmetric");
    if (!symmetric.isBoolean()) {
      throw wrong(name + ".symmetric", symmetric, "true or false");
    }
    return new ActivationScheme(8, symmetric.asBoolean(), dynamic.asBoolean());
  }

  private ActivationScheme fp8Inputs(String name, JsonNode node, boolean dynamic) {
    want(name + ".symmetric", node.path("symmetric"), "true");
    boolean grouped = dynamic && node.path("strategy").asText().equals("group");
    if (grouped) {
      want(name + ".group_size", node.path("group_size"), String.valueOf(WeightForm.BLOCK));
    } else {
      want(name + ".strategy", node.path("strategy"), dynamic ? "token" : "tensor");
    }
    return ActivationScheme.fp8(dynamic, grouped ? WeightForm.BLOCK : 0);
  }

  private WeightScheme fp8(String name, JsonNode node) {
    want(name + ".num_bits", node.path("num_bits"), "8");
    want(name + ".symmetric", node.path("symmetric"), "true");
    JsonNode strategy = node.path("strategy");
    return switch (strategy.asText()) {
      case "tensor" -> WeightScheme.of(WeightForm.FP8_TENSOR);
      case "channel" -> WeightScheme.of(WeightForm.FP8_CHANNEL);
      case "block" -> {
        JsonNode sides = node.path("block_structure");
        for (int i = 0; i < 2; i++) {
          want(name + ".block_structure." + i, sides.path(i), String.valueOf(WeightForm.BLOCK));
        }
        yield WeightScheme.of(WeightForm.FP8_BLOCK);
      }
      default -> throw wrong(name + ".strategy", strategy, "tensor, channel or block");
    };
  }

  private WeightScheme fp4(String name, JsonNode node) {
    want(name + ".symmetric", node.path("symmetric"), "true");
    JsonNode strategy = node.path("strategy");
    WeightScheme scheme =
        switch (strategy.asText()) {
          case "group" -> WeightScheme.of(WeightForm.MXFP4);
          case "tensor_group" -> WeightScheme.of(WeightForm.NVFP4);
          default ->
              throw wrong(
                  name + ".strategy", strategy, "group or tensor_group for 4 bits of float");
        };
    String size = String.valueOf(scheme.groupSize());
    want(name + ".group_size", node.path("group_size"), size);
    return scheme;
  }

  private KvCacheScheme kvCache(JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    String name = "kv_cache_scheme";
    boolean floating = node.path("type").asText().equals("float");
    eightBits(name, node, floating ? "float" : "int");
    want(name + ".strategy", node.path("strategy"), "tensor");
    want(name + ".dynamic", node.path("dynamic"), "false");
    want(name + ".symmetric", node.path("symmetric"), "true");
    return new KvCacheScheme(floating);
  }

  private void eightBits(String name, JsonNode node, String type) {
    if (!node.isObject()) {
      throw wrong(name, node, "null or an object with num_bits, type and strategy");
    }
    want(name + ".num_bits", node.path("num_bits"), "8");
    want(name + ".type", node.path("type"), type);
  }

  private WeightScheme weights(String name, JsonNode node) {
    if (!node.isObject()) {
      throw wrong(name, node, "an object with num_bits, type and strategy");
    }
    if (node.path("type").asText().equals("float")) {
      return node.path("num_bits").asInt() == 4 ? fp4(name, node) : fp8(name, node);
    }
    want(name + ".type", node.path("type"), "int");
    JsonNode bits = node.path("num_bits");
    if (!bits.isInt() || !List.of(2, 3, 4, 8).contains(bits.asInt())) {
      throw wrong(name + ".num_bits", bits, "2, 3, 4 or 8");
    }
    JsonNode symmetric = node.path("symmetric");
    if (!symmetric.isBoolean()) {
      throw wrong(name + ".symmetric", symmetric, "true or false");
    }
    int size = groupSize(name, node);
    return new WeightScheme(bits.asInt(), symmetric.asBoolean(), size)
        .withOrder(order(name, node, size));
  }

  private ActOrder order(String name, JsonNode node, int groupSize) {
    JsonNode order = node.path("actorder");
    if (order.isMissingNode() || order.isNull()) {
      return ActOrder.NONE;
    }
    return switch (order.asText()) {
      case "static", "weight" -> ActOrder.STATIC;
      case "group", "dynamic" -> {
        if (groupSize == 0) {
          throw wrong(name + ".actorder", order, "null or static per channel");
        }
        yield ActOrder.GROUP;
      }
      default -> throw wrong(name + ".actorder", order, "null, static, weight, group or dynamic");
    };
  }

  private int groupSize(String name, JsonNode node) {
    JsonNode strategy = node.path("strategy");
    if (strategy.asText().equals("channel")) {
      return 0;
    }
    if (!strategy.asText().equals("group")) {
      throw wrong(name + ".strategy", strategy, "group or channel");
    }
    JsonNode size = node.path("group_size");
    if (!size.isInt() || size.asInt() < 1) {
      throw wrong(name + ".group_size", size, "an integer of at least 1");
    }
    return size.asInt();
  }

  private TargetMatcher matcher(String name, JsonNode node) {
    List<String> targets = new ArrayList<>();
    if (!node.isArray() && !node.isMissingNode() && !node.isNull()) {
      throw wrong(name, node, "a list of names");
    }
    node.forEach(target -> targets.add(target.asText()));
    try {
      return new TargetMatcher(targets);
    } catch (UsageException e) {
      throw new CheckpointException(where + "." + name + ": " + e.getMessage(), e);
    }
  }

  private void want(String key, JsonNode found, String wanted) {
    if (!found.asText().equals(wanted)) {
      throw wrong(key, found, wanted);
    }
  }

  private CheckpointException wrong(String key, JsonNode found, String wanted) {
    String shown = found.isMissingNode() ? "nothing" : found.toString();
    return new CheckpointException(where + "." + key + ": found " + shown + ", wanted " + wanted);
  }
}
