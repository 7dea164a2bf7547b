package io.shardpress.spark.endtoend;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A small recipe for each modifier, and other values for each of its keys.
 *
 * @param modifier its key in a recipe
 * @param before what else stands in the recipe; "" for nothing
 * @param base keys and values
 * @param flips other values of keys, each tried alone
 */
record SettingFlips(
    String modifier, String before, Map<String, String> base, Map<String, List<String>> flips) {
  private static final String W4 =
      "{num_bits: 4, symmetric: true, strategy: group, group_size: 64}";
  private static final String FP8_CACHE =
      "{num_bits: 8, type: float, strategy: tensor, dynamic: false, symmetric: true}";
  private static final String RTN_BEHIND = "QuantizationModifier: {scheme: W4A16}\n";

  /** A modifier with one other value, or none. */
  record Flip(String name, String recipe) {}

  static List<SettingFlips> all() {
    return List.of(
        of(
            "Quantization",
            Map.of("scheme", "W4A16"),
            quantizing(),
            Map.of("step_search", of("true"))),
        of("EasyQuant", Map.of("scheme", "W4A16"), quantizing(), Map.of("outliers", of("true"))),
        of(
            "GPTQ",
            Map.of("scheme", "W4A16"),
            quantizing(),
            fromGptq(),
            scales(),
            Map.of("actorder", of("static", "group"))),
        of(
            "GPTQ",
            Map.of("scheme", "W4A16", "scale_iterations", "1"),
            Map.of("scale_iterations", of("2"), "batch_size", of("3"), "seed", of("7"))),
        of(
            "Coupled",
            Map.of("scheme", "W4A16"),
            quantizing(),
            fromGptq(),
            scales(),
            Map.of(
                "coupled_rounds", of("1"),
                "coupled_sweeps", of("1"),
                "draws", of("2"),
                "actorder", of("static"))),
        of(
            "Coupled",
            Map.of("scheme", "W4A16", "scale_iterations", "1"),
            Map.of("scale_iterations", of("2"), "batch_size", of("3"))),
        of(
            "LRQ",
            Map.of("scheme", "W4A16", "iterations", "2", "scale_iterations", "1"),
            quantizing(),
            fromGptq(),
            scales(),
            blockwise(),
            Map.of(
                "objective", of("layer"),
                "rank", of("3"),
                "init", of("rtn"),
                "actorder", of("static"))),
        of(
            "FlexRound",
            Map.of("scheme", "W4A16", "iterations", "2", "scale_iterations", "1"),
            quantizing(),
            fromGptq(),
            scales(),
            blockwise(),
            Map.of("init", of("rtn"))),
        of(
            "AutoRound",
            Map.of("scheme", "W4A16", "iterations", "2", "batch_size", "2"),
            quantizing(),
            scales(),
            blockwise()),
        of(
            "AWQ",
            Map.of("scheme", "W4A16", "n_grid", "3"),
            quantizing(),
            Map.of(
                "step_search", of("true"),
                "n_grid", of("4"),
                "clip", of("false"),
                "duo_scaling", of("true"),
                "mappings", of("null"))),
        new SettingFlips(
            "EndToEndModifier",
            "- CoupledModifier: {scheme: W4A16}\n- ",
            Map.of("iterations", "2", "batch_size", "3", "integers", "0.1"),
            together(
                Map.of(
                    "iterations", of("1"),
                    "learning_rate", of("0.02"),
                    "batch_size", of("2"),
                    "held_back", of("0.5"),
                    "integers", of("0.2", "0"),
                    "integer_rate", of("0.1"),
                    "hidden_states", of("0"),
                    "seed", of("7")))),
        new SettingFlips(
            "SmoothQuantModifier",
            RTN_BEHIND,
            Map.of("smoothing_strength", "0.5"),
            together(
                Map.of(
                    "ignore", of("['re:.*layers.0.self_attn.*']"),
                    "smoothing_strength", of("0.7"),
                    "mappings", of("null")),
                passedOver())));
  }

  /** The recipe as it stands, and once for each other value. */
  List<Flip> recipes() {
    List<Flip> recipes = new ArrayList<>();
    recipes.add(new Flip("as it is", text(base)));
    for (Entry<String, List<String>> flip : flips.entrySet()) {
      for (String value : flip.getValue()) {
        Map<String, String> other = new LinkedHashMap<>(base);
        other.put(flip.getKey(), value);
        if (flip.getKey().equals("config_groups")) {
          other.remove("scheme");
        }
        recipes.add(new Flip(flip.getKey() + ": " + value, text(other)));
      }
    }
    return recipes;
  }

  private String text(Map<String, String> keys) {
    String body =
        new TreeMap<>(keys)
            .entrySet().stream()
                .map(key -> key.getKey() + ": " + key.getValue())
                .collect(Collectors.joining(", "));
    String own = modifier + ": {" + body + "}\n";
    // A modifier that only changes weights stands before the one that rounds them, one that goes
    // on from integers behind the one that found them.
    return before.endsWith("- ") ? before + own : own + before;
  }

  private static Map<String, List<String>> quantizing() {
    return together(
        Map.of(
            "targets", of("['re:.*mlp.*']"),
            "ignore", of("['re:.*down_proj', lm_head]"),
            "scheme", of("W3A16_ASYM", "W4A8"),
            "config_groups", of("{group_0: {targets: [Linear], weights: " + W4 + "}}"),
            "group_size", of("32", "channel"),
            "weight_observer", of("mse"),
            "input_observer", of("minmax"),
            "output_observer", of("minmax"),
            "observer", of("{weights: mse}"),
            "kv_cache_scheme", of(FP8_CACHE)),
        passedOver());
  }

  private static Map<String, List<String>> passedOver() {
    return Map.of(
        "sequential_update", of("false"),
        "sequential_targets", of("[LlamaDecoderLayer]"),
        "offload_hessians", of("true"));
  }

  private static Map<String, List<String>> fromGptq() {
    return Map.of(
        "alpha", of("0.25"),
        "damping", of("0.3"),
        "block_size", of("32"),
        "dampening_frac", of("0.05"),
        "true_sequential", of("false"),
        "descent_rounds", of("1"),
        "descent_sweeps", of("1"));
  }

  private static Map<String, List<String>> scales() {
    return Map.of("step_search", of("false", "true"), "seed", of("7"));
  }

  private static Map<String, List<String>> blockwise() {
    return Map.of(
        "order", of("parallel"),
        "iterations", of("3"),
        "learning_rate", of("0.01"),
        "batch_size", of("3"),
        "keep_best", of("false"),
        "touch_up", of("1"),
        "scale_iterations", of("2"));
  }

  @SafeVarargs
  private static SettingFlips of(
      String name, Map<String, String> base, Map<String, List<String>>... flips) {
    return new SettingFlips(name + "Modifier", "", base, together(flips));
  }

  private static List<String> of(String... values) {
    return List.of(values);
  }

  @SafeVarargs
  private static Map<String, List<String>> together(Map<String, List<String>>... maps) {
    Map<String, List<String>> all = new TreeMap<>();
    for (Map<String, List<String>> map : maps) {
      all.putAll(map);
    }
    return all;
  }
}
