package io.shardpress.schemas.recipe;

import static io.shardpress.schemas.recipe.QuantizationArgs.wrong;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.schemas.UsageException;
import java.util.List;

/**
 * The observers that stand beside a modifier's scheme, as llm-compressor has them: by name for
 * weights and for inputs, or both in one object. They go before those of the scheme.
 *
 * @param weights {@code null}: not said
 * @param inputs likewise
 */
record ObserverNames(String weights, String inputs) {
  /** Those of a modifier's settings. */
  static ObserverNames of(String where, Settings settings) {
    String weights = name(settings, SettingKey.WEIGHT_OBSERVER);
    String inputs = name(settings, SettingKey.INPUT_OBSERVER);
    if (!settings.has(SettingKey.OBSERVER)) {
      return new ObserverNames(weights, inputs);
    }
    if (weights != null || inputs != null || settings.has(SettingKey.OUTPUT_OBSERVER)) {
      throw new UsageException(
          where
              + ": both observer and weight_observer, input_observer or output_observer; want one"
              + " of the two");
    }
    JsonNode node = (JsonNode) settings.get(SettingKey.OBSERVER);
    if (!node.isObject()) {
      throw wrong(where + ".observer", node, SettingKey.OBSERVER.domain().wanted());
    }
    node.properties()
        .forEach(
            entry -> {
              String key = where + ".observer";
              QuantizationArgs.known(key, entry.getKey(), List.of("weights", "input", "output"));
              if (QuantizationArgs.OBSERVERS.read(entry.getValue()).isEmpty()) {
                throw wrong(
                    key + "." + entry.getKey(),
                    entry.getValue(),
                    QuantizationArgs.OBSERVERS.wanted());
              }
            });
    return new ObserverNames(node.path("weights").asText(null), node.path("input").asText(null));
  }

  private static String name(Settings settings, SettingKey key) {
    return settings.has(key) ? settings.word(key) : null;
  }

  /** Whether steps of weights are searched for the least squared error. */
  boolean searchesWeights() {
    return weights != null && weights.endsWith("mse");
  }

  /** The group with its static input scale found as is said here. */
  SchemeGroup applied(String where, SchemeGroup group) {
    ActivationScheme scheme = group.activations();
    if (inputs == null || scheme == null || scheme.dynamic()) {
      return group;
    }
    boolean search = inputs.endsWith("mse");
    if (scheme.floating() && search) {
      throw new UsageException(
          where + ": input_observer is " + inputs + ", want minmax for inputs of type float");
    }
    return scheme.floating()
        ? group
        : new SchemeGroup(
            group.targets(),
            group.weights(),
            new ActivationScheme(scheme.bits(), scheme.symmetric(), false, search));
  }
}
