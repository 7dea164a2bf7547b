package io.shardpress.schemas.recipe;

import static io.shardpress.schemas.recipe.QuantizationArgs.wrong;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A pair of llm-compressor's {@code mappings}: what makes an activation, which takes 1/s, and the
 * linears that read it, which take s.
 *
 * @param smooth the module that makes it, a norm or a linear, written like a target
 * @param balance the linears that read it, written likewise
 */
public record LayerMapping(String smooth, List<String> balance) implements Serializable {
  static final String WANTED =
      "null, or a list of {smooth_layer: …, balance_layers: […]} or of [[balance layers], smooth"
          + " layer]";

  private static final Set<String> SMOOTH = Set.of("smooth_layer", "smooth_layers");

  public LayerMapping {
    balance = List.copyOf(balance);
  }

  /**
   * Reads the pairs as AWQ writes them (an object, or smooth layer first) and as SmoothQuant does
   * (balance layers first): a list among the two is the balance layers.
   *
   * @throws io.shardpress.schemas.UsageException for anything else
   */
  static List<LayerMapping> parse(String where, JsonNode node) {
    if (!node.isArray() || node.isEmpty()) {
      throw wrong(where, node, WANTED);
    }
    List<LayerMapping> mappings = new ArrayList<>();
    for (int i = 0; i < node.size(); i++) {
      String place = where + "[" + i + "]";
      mappings.add(node.get(i).isObject() ? named(place, node.get(i)) : pair(place, node.get(i)));
    }
    return List.copyOf(mappings);
  }

  private static LayerMapping named(String where, JsonNode node) {
    JsonNode smooth = null;
    for (var entry : node.properties()) {
      String key = entry.getKey();
      if (SMOOTH.contains(key)) {
        smooth = entry.getValue();
      } else if (key.equals("activation_hook_target") && !entry.getValue().isNull()) {
        throw wrong(
            where + "." + key,
            entry.getValue(),
            "null: a linear's inputs are observed where it reads them");
      } else if (!key.equals("activation_hook_target")) {
        QuantizationArgs.known(
            where, key, List.of("smooth_layer", "balance_layers", "activation_hook_target"));
      }
    }
    return of(where, node, smooth, node.get("balance_layers"));
  }

  private static LayerMapping pair(String where, JsonNode node) {
    if (!node.isArray() || node.size() != 2) {
      throw wrong(where, node, "a pair of balance layers and the layer before them");
    }
    boolean balanceFirst = node.get(0).isArray() && node.get(0).size() > 0;
    boolean both = balanceFirst && node.get(1).isArray() && node.get(1).size() > 1;
    JsonNode balance = node.get(balanceFirst && !both ? 0 : 1);
    return of(where, node, both ? null : node.get(balanceFirst ? 1 : 0), balance);
  }

  private static LayerMapping of(String where, JsonNode whole, JsonNode smooth, JsonNode balance) {
    List<String> before = names(smooth);
    List<String> after = names(balance);
    if (before.size() != 1 || after.isEmpty()) {
      throw wrong(where, whole, "one layer that makes the inputs, and a list of those that read");
    }
    return new LayerMapping(before.get(0), after);
  }

  private static List<String> names(JsonNode node) {
    return node == null
        ? List.of()
        : new Domain.Names()
            .read(node)
            .map(names -> ((List<?>) names).stream().map(String.class::cast).toList())
            .orElse(List.of());
  }
}
