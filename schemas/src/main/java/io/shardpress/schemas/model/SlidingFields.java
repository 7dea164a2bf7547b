package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * Sliding-window attention in config.json. Mistral: sliding_window (4096 where the key is absent,
 * null for none). Qwen2 and Qwen3: only with use_sliding_window, and then in the layers from
 * max_window_layers on. layer_types, where it stands, decides.
 */
final class SlidingFields {
  /** Default of Mistral's and Qwen's config classes, in positions. */
  private static final int DEFAULT_WINDOW = 4096;

  /** Default of Qwen's config classes. */
  private static final int DEFAULT_FULL_LAYERS = 28;

  private final ConfigFields config;
  private final List<String> missing;

  SlidingFields(ConfigFields config, List<String> missing) {
    this.config = config;
    this.missing = missing;
  }

  /** The window that all layers have, or null; a mixture is noted as missing. */
  Integer window(Family family, int layers) {
    boolean slides =
        switch (family) {
          case LLAMA -> false;
          case MISTRAL -> true;
          case QWEN2, QWEN3 -> config.flag("use_sliding_window", false);
        };
    boolean off = config.has("sliding_window") && config.find("sliding_window").isEmpty();
    if (!slides || off) {
      return null;
    }
    int sliding =
        config
            .find("layer_types")
            .map(types -> sliding(types, layers))
            .orElseGet(() -> family == Family.MISTRAL ? layers : layers - fullLayers(layers));
    if (sliding == 0) {
      return null;
    }
    if (sliding != layers) {
      missing.add(
          "sliding attention in " + sliding + " of " + layers + " layers: only all or none");
    }
    return config.positive("sliding_window").orElse(DEFAULT_WINDOW);
  }

  private int sliding(JsonNode types, int layers) {
    if (!types.isArray() || types.size() != layers) {
      throw config.bad(
          "layer_types",
          types.isArray() ? types.size() + " words" : types.getNodeType(),
          "a list of num_hidden_layers = " + layers + " words");
    }
    int sliding = 0;
    for (JsonNode type : types) {
      if (type.asText().equals("sliding_attention")) {
        sliding++;
      } else if (!type.asText().equals("full_attention")) {
        missing.add("layer_types with " + type + ": only full_attention and sliding_attention");
        return layers;
      }
    }
    return sliding;
  }

  private int fullLayers(int layers) {
    return Math.min(config.whole("max_window_layers", 0).orElse(DEFAULT_FULL_LAYERS), layers);
  }
}
