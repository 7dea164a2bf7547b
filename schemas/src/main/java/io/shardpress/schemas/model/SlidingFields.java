package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;

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
    int sliding =
        switch (family) {
          case LLAMA -> 0;
          case MISTRAL -> layers;
          case QWEN2, QWEN3 ->
              config.flag("use_sliding_window", false) ? layers - fullLayers(layers) : 0;
        };
    boolean off = config.has("sliding_window") && config.find("sliding_window").isEmpty();
    if (sliding == 0 || off) {
      return null;
    }
    Optional<JsonNode> types = config.find("layer_types").filter(JsonNode::isArray);
    if (types.isPresent()) {
      sliding = 0;
      for (JsonNode type : types.get()) {
        sliding += type.asText().equals("sliding_attention") ? 1 : 0;
      }
    }
    if (sliding == 0) {
      return null;
    }
    if (sliding != layers) {
      missing.add(
          "sliding attention in " + sliding + " of " + layers + " layers: only all or none");
    }
    return config.positive("sliding_window").orElse(DEFAULT_WINDOW);
  }

  private int fullLayers(int layers) {
    int full =
        config
            .find("max_window_layers")
            .filter(JsonNode::canConvertToInt)
            .map(JsonNode::asInt)
            .orElse(DEFAULT_FULL_LAYERS);
    return Math.min(Math.max(full, 0), layers);
  }
}
