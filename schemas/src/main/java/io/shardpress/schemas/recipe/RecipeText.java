package io.shardpress.schemas.recipe;

import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Recipes as text whose bytes are the same on every machine and JDK. */
final class RecipeText {
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z_][A-Za-z0-9_.]*");

  /** What YAML does not take as it is, beyond JSON's own escapes. */
  private static final Pattern UNPRINTABLE =
      Pattern.compile("[\\x7f-\\x9f\\u2028\\u2029\\ufeff\\ufffe\\uffff]");

  /** Words that YAML 1.1 reads as something other than a string. */
  private static final Set<String> WORDS_OF_YAML =
      Set.of("true", "false", "yes", "no", "on", "off", "y", "n", "null");

  private RecipeText() {}

  static String canonical(List<Modifier> modifiers) {
    return modifiers.stream().map(RecipeText::canonical).collect(Collectors.joining(",", "[", "]"));
  }

  /** JSON with sorted keys; its values are not quoted apart from strings of the recipe. */
  static String canonical(Modifier modifier) {
    Map<String, String> fields = new TreeMap<>();
    modifier.settings().forEach((key, value) -> fields.put(key, json(value)));
    fields.put("modifier", quoted(modifier.kind().modifier()));
    fields.put("ignore", json(modifier.ignore()));
    fields.put(
        "groups",
        modifier.groups().stream()
            .map(RecipeText::canonical)
            .collect(Collectors.joining(",", "[", "]")));
    if (modifier.kvCache() != null) {
      fields.put("kv_cache_scheme", quoted(modifier.kvCache().type()));
    }
    if (!modifier.mappings().isEmpty()) {
      fields.put(
          "mappings",
          modifier.mappings().stream()
              .map(one -> "[" + quoted(one.smooth()) + "," + json(one.balance()) + "]")
              .collect(Collectors.joining(",", "[", "]")));
    }
    return fields.entrySet().stream()
        .map(e -> quoted(e.getKey()) + ":" + e.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }

  /** Activations and an order of columns only where there are any. */
  private static String canonical(SchemeGroup group) {
    ActivationScheme activations = group.activations();
    ActOrder order = group.weights().order();
    String form =
        group.weights().form() == WeightForm.INT
            ? ""
            : "\"form\":" + quoted(group.weights().form().name()) + ",";
    return String.format(
        Locale.ROOT,
        "{%s%s%s\"bits\":%d,\"group_size\":%d,\"symmetric\":%b,\"targets\":%s}",
        activations == null
            ? ""
            : String.format(
                Locale.ROOT,
                "\"activations\":{\"bits\":%d,\"dynamic\":%b,%s\"search\":%b,\"symmetric\":%b},",
                activations.bits(),
                activations.dynamic(),
                activations.floating() ? "\"fp8\":" + activations.groupSize() + "," : "",
                activations.search(),
                activations.symmetric()),
        order == ActOrder.NONE ? "" : "\"actorder\":" + quoted(order.word()) + ",",
        form,
        group.weights().bits(),
        group.weights().groupSize(),
        group.weights().symmetric(),
        json(group.targets()));
  }

  static String yaml(List<Modifier> modifiers) {
    StringBuilder yaml = new StringBuilder("quant_stage:\n  quant_modifiers:\n");
    boolean repeats = modifiers.stream().map(Modifier::kind).distinct().count() < modifiers.size();
    for (Modifier modifier : modifiers) {
      // A mapping holds a name once: modifiers of the same kind need the form of a list.
      yaml.append(repeats ? "    - " : "    ").append(modifier.kind().modifier()).append(":\n");
      String indent = repeats ? "        " : "      ";
      groups(yaml, indent, modifier);
      if (modifier.kvCache() != null) {
        yaml.append(indent).append("kv_cache_scheme: ");
        yaml.append(args(modifier.kvCache()));
      }
      if (!modifier.mappings().isEmpty()) {
        yaml.append(indent).append("mappings:\n");
        modifier
            .mappings()
            .forEach(
                one ->
                    yaml.append(indent)
                        .append("  - {smooth_layer: ")
                        .append(scalar(one.smooth()))
                        .append(", balance_layers: ")
                        .append(names(one.balance()))
                        .append("}\n"));
      }
      if (!modifier.kind().tunes()) {
        yaml.append(indent).append("ignore: ").append(names(modifier.ignore())).append('\n');
      }
      modifier
          .settings()
          .forEach(
              (key, value) ->
                  yaml.append(indent).append(key).append(": ").append(scalar(value)).append('\n'));
    }
    return yaml.toString();
  }

  private static void groups(StringBuilder yaml, String indent, Modifier modifier) {
    if (modifier.groups().isEmpty()) {
      return;
    }
    SchemeGroup group = modifier.groups().get(0);
    if (modifier.groups().size() == 1 && Schemes.isNamed(group)) {
      yaml.append(indent).append("targets: ").append(names(group.targets())).append('\n');
      yaml.append(indent).append("scheme: ").append(group.schemeName()).append('\n');
      if (!group.weights().floating()) {
        yaml.append(indent).append("group_size: ");
        yaml.append(group.weights().perChannel() ? "channel" : group.weights().groupSize())
            .append('\n');
      }
      return;
    }
    yaml.append(indent).append("config_groups:\n");
    for (int i = 0; i < modifier.groups().size(); i++) {
      SchemeGroup one = modifier.groups().get(i);
      WeightScheme weights = one.weights();
      yaml.append(indent).append("  group_").append(i).append(":\n");
      yaml.append(indent).append("    targets: ").append(names(one.targets())).append('\n');
      yaml.append(indent)
          .append(
              String.format(
                  Locale.ROOT,
                  "    weights: {num_bits: %d, type: %s, symmetric: %b, ",
                  weights.bits(),
                  weights.floating() ? "float" : "int",
                  weights.symmetric()))
          .append(strategy(weights))
          .append(weights.order() == ActOrder.NONE ? "" : ", actorder: " + weights.order().word())
          .append("}\n");
      if (one.activations() != null) {
        yaml.append(indent).append("    input_activations: ");
        yaml.append(args(one.activations()));
      }
    }
  }

  private static String strategy(WeightScheme weights) {
    return switch (weights.form()) {
      case INT ->
          weights.perChannel()
              ? "strategy: channel"
              : "strategy: group, group_size: " + weights.groupSize();
      case FP8_BLOCK ->
          String.format(
              Locale.ROOT,
              "strategy: block, block_structure: [%d, %d]",
              WeightForm.BLOCK,
              WeightForm.BLOCK);
      case MXFP4, NVFP4 ->
          String.format(
              Locale.ROOT,
              "strategy: %s, group_size: %d",
              weights.form().strategy(),
              weights.groupSize());
      default -> "strategy: " + weights.form().strategy();
    };
  }

  /** By compressed-tensors' keys, a line. */
  private static String args(ActivationScheme scheme) {
    return String.format(
        Locale.ROOT,
        "{num_bits: %d, type: %s, symmetric: %b, strategy: %s, dynamic: %b%s%s}\n",
        scheme.bits(),
        scheme.type(),
        scheme.symmetric(),
        scheme.strategy(),
        scheme.dynamic(),
        scheme.groupSize() == 0 ? "" : ", group_size: " + scheme.groupSize(),
        scheme.dynamic() ? "" : ", observer: " + scheme.observer());
  }

  private static String args(KvCacheScheme scheme) {
    return String.format(
        Locale.ROOT,
        "{num_bits: %d, type: %s, symmetric: true, strategy: tensor, dynamic: false}\n",
        KvCacheScheme.BITS,
        scheme.type());
  }

  private static String names(List<String> names) {
    return names.stream().map(RecipeText::scalar).collect(Collectors.joining(", ", "[", "]"));
  }

  private static String scalar(Object value) {
    if (value instanceof String text) {
      return PLAIN.matcher(text).matches() && !WORDS_OF_YAML.contains(text.toLowerCase(Locale.ROOT))
          ? text
          : quoted(text);
    }
    return json(value);
  }

  private static String json(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(RecipeText::json).collect(Collectors.joining(",", "[", "]"));
    }
    if (value instanceof Double number) {
      return Decimals.text(number);
    }
    return value instanceof String text ? quoted(text) : String.valueOf(value);
  }

  private static String quoted(String text) {
    return UNPRINTABLE
        .matcher(TextNode.valueOf(text).toString())
        .replaceAll(c -> String.format(Locale.ROOT, "\\\\u%04x", (int) c.group().charAt(0)));
  }
}
