package io.shardpress.schemas.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Sliding-window attention in config.json. Mistral, Mixtral and Phi-3: sliding_window for all
 * layers (4096 with Mistral where the key is absent, null for none). Qwen2 and Qwen3: only with
 * use_sliding_window, and then in the layers from max_window_layers on. Gemma 2: every other layer
 * from the first on; Gemma 3: all but every sliding_window_pattern-th. layer_types, where it
 * stands, decides.
 */
final class SlidingFields {
  /** Default of Mistral's, Qwen's and Gemma's config classes, in positions. */
  private static final int DEFAULT_WINDOW = 4096;

  /** Default of Qwen's config classes. */
  private static final int DEFAULT_FULL_LAYERS = 28;

  /** Default of Gemma 3's config class. */
  private static final int DEFAULT_PATTERN = 6;

  private final ConfigFields config;
  private final List<String> missing;

  SlidingFields(ConfigFields config, List<String> missing) {
    this.config = config;
    this.missing = missing;
  }

  /** The window of each layer, 0 for none. */
  List<Integer> windows(Family family, int layers) {
    boolean unsaid = !config.has("sliding_window");
    boolean off =
        unsaid
            ? family == Family.PHI3 || family == Family.MIXTRAL
            : config.find("sliding_window").isEmpty();
    if (off || !slides(family)) {
      return zeros(layers);
    }
    List<Boolean> sliding = types(layers).orElseGet(() -> byFamily(family, layers));
    List<Integer> windows = new ArrayList<>();
    int window = sliding.contains(true) ? window() : 0;
    sliding.forEach(slides -> windows.add(slides ? window : 0));
    return windows;
  }

  private int window() {
    return config.positive("sliding_window").orElse(DEFAULT_WINDOW);
  }

  private boolean slides(Family family) {
    return switch (family) {
      case LLAMA -> false;
      case MISTRAL, MIXTRAL, PHI3, GEMMA2, GEMMA3 -> true;
      case QWEN2, QWEN3, QWEN2_MOE, QWEN3_MOE -> config.flag("use_sliding_window", false);
    };
  }

  private static List<Integer> zeros(int layers) {
    return new ArrayList<>(java.util.Collections.nCopies(layers, 0));
  }

  private List<Boolean> byFamily(Family family, int layers) {
    if (family == Family.QWEN2_MOE || family == Family.QWEN3_MOE) {
      // Transformers' versions read max_window_layers in different ways.
      missing.add("use_sliding_window without layer_types: not of this family");
    }
    int full = Math.min(config.whole("max_window_layers", 0).orElse(DEFAULT_FULL_LAYERS), layers);
    int pattern =
        config
            .positive("sliding_window_pattern")
            .or(() -> config.positive("_sliding_window_pattern"))
            .orElse(DEFAULT_PATTERN);
    List<Boolean> sliding = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      sliding.add(
          switch (family) {
            case GEMMA2 -> layer % 2 == 0;
            case GEMMA3 -> (layer + 1) % pattern != 0;
            case QWEN2, QWEN3 -> layer >= full;
            default -> true;
          });
    }
    return sliding;
  }

  private Optional<List<Boolean>> types(int layers) {
    return config.find("layer_types").map(types -> types(types, layers));
  }

  private List<Boolean> types(JsonNode types, int layers) {
    if (!types.isArray() || types.size() != layers) {
      throw config.bad(
          "layer_types",
          types.isArray() ? types.size() + " words" : types.getNodeType(),
          "a list of num_hidden_layers = " + layers + " words");
    }
    List<Boolean> sliding = new ArrayList<>();
    for (JsonNode type : types) {
      sliding.add(type.asText().equals("sliding_attention"));
      if (!type.asText().equals("sliding_attention") && !type.asText().equals("full_attention")) {
        missing.add("layer_types with " + type + ": only full_attention and sliding_attention");
      }
    }
    return sliding;
  }
}
