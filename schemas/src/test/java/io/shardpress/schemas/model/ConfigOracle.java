package io.shardpress.schemas.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.fuzz.Json;
import io.shardpress.schemas.fuzz.Json.Array;
import io.shardpress.schemas.fuzz.Json.Mapping;
import io.shardpress.schemas.fuzz.Json.Scalar;
import io.shardpress.schemas.fuzz.StrictJsonReading;
import java.util.Set;

/**
 * config.json read a second time, key by key with the defaults of Transformers' classes, for
 * configs that were accepted: their values have the right types.
 */
final class ConfigOracle {
  private static final Set<String> KNOWN =
      Set.of(
          "llama",
          "mistral",
          "qwen2",
          "qwen3",
          "mixtral",
          "qwen2_moe",
          "qwen3_moe",
          "gemma2",
          "gemma3",
          "gemma3_text",
          "phi3");

  private final Mapping root;
  private final Mapping config;
  private boolean gemma;

  ConfigOracle(Mapping root) {
    this.root = root;
    this.config = root.get("text_config") instanceof Mapping nested ? nested : root;
  }

  void check(ModelConfig found) {
    String type = text(is(config.get("model_type")) ? config : root, "model_type", "");
    assertThat(found.modelType()).isEqualTo(type);
    boolean quantized =
        is(root.get("quantization_config")) || is(config.get("quantization_config"));
    assertThat(found.quantized()).isEqualTo(quantized);
    assertThat(found.knownFamily()).isEqualTo(KNOWN.contains(type));
    if (!KNOWN.contains(type)) {
      assertThat(found.unsupportedReason()).isPresent();
      return;
    }
    gemma = type.startsWith("gemma");
    double hidden = size("hidden_size", type);
    double heads = size("num_attention_heads", type);
    assertThat((double) found.hiddenSize()).isEqualTo(hidden);
    assertThat((double) found.heads()).isEqualTo(heads);
    boolean unsaid = gemma || config.get("num_key_value_heads") == null;
    double kvHeads = unsaid ? ofClass("num_key_value_heads", type) : heads;
    assertThat((double) found.kvHeads())
        .isEqualTo(number("num_key_value_heads", kvHeads > 0 ? kvHeads : heads));
    double headDim = gemma ? 256 : type.equals("qwen3") ? 128 : Math.floor(hidden / heads);
    assertThat((double) found.headDim()).isEqualTo(number("head_dim", headDim));
    assertThat((double) found.layers()).isEqualTo(size("num_hidden_layers", type));
    assertThat((double) found.intermediateSize()).isEqualTo(size("intermediate_size", type));
    assertThat((double) found.vocabSize()).isEqualTo(size("vocab_size", type));
    assertThat((double) found.maxPositionEmbeddings())
        .isEqualTo(number("max_position_embeddings", ofClass("max_position_embeddings", type)));
    boolean wider = type.equals("phi3") || type.equals("mixtral");
    assertThat(found.rmsNormEps()).isEqualTo(number("rms_norm_eps", wider ? 1e-5 : 1e-6));
    assertThat(found.tieWordEmbeddings())
        .isEqualTo(flag(config, "tie_word_embeddings", flag(root, "tie_word_embeddings", gemma)));
    boolean bias = flag(config, "attention_bias", false);
    boolean hasKey = Set.of("llama", "qwen3", "qwen3_moe").contains(type) || gemma;
    boolean always =
        type.equals("qwen2") || (type.equals("qwen2_moe") && flag(config, "qkv_bias", true));
    assertThat(found.qkvBias()).isEqualTo(always || (hasKey && bias));
    assertThat(found.mlpBias()).isEqualTo(type.equals("llama") && flag(config, "mlp_bias", false));
    assertThat(found.traits().fused()).isEqualTo(type.equals("phi3"));
    if (gemma) {
      double cap = type.equals("gemma2") && config.get("attn_logit_softcapping") == null ? 50 : 0;
      assertThat(found.traits().scoreCap()).isEqualTo(number("attn_logit_softcapping", cap));
      assertThat(found.traits().queryScalar()).isEqualTo(number("query_pre_attn_scalar", 256));
    }
    rope(found, type);
    window(found, type);
    experts(found, type);
  }

  /** Files have sizes whole, but for Gemma's and what is nested: these leave out their class's. */
  @SuppressWarnings("ReferenceEquality") // whether the file nests is asked, not what it holds
  private double size(String key, String type) {
    return number(key, gemma || config != root ? ofClass(key, type) : -1);
  }

  private static final java.util.List<String> COLUMNS =
      java.util.List.of(
          "vocab_size",
          "hidden_size",
          "intermediate_size",
          "num_hidden_layers",
          "num_attention_heads",
          "num_key_value_heads",
          "max_position_embeddings");

  /** As the signatures of Transformers' classes have them; 0 for None. */
  private static double ofClass(String key, String type) {
    int[] row =
        switch (type) {
          case "llama" -> new int[] {32000, 4096, 11008, 32, 32, 0, 2048};
          case "mistral", "mixtral" -> new int[] {32000, 4096, 14336, 32, 32, 8, 4096 * 32};
          case "qwen2", "qwen3" -> new int[] {151936, 4096, 22016, 32, 32, 32, 32768};
          case "qwen2_moe" -> new int[] {151936, 2048, 5632, 24, 16, 16, 32768};
          case "qwen3_moe" -> new int[] {151936, 2048, 6144, 24, 32, 4, 32768};
          case "phi3" -> new int[] {32064, 3072, 8192, 32, 32, 0, 4096};
          case "gemma2" -> new int[] {256000, 2304, 9216, 26, 8, 4, 8192};
          default -> new int[] {262208, 2304, 9216, 26, 8, 4, 131072};
        };
    return row[COLUMNS.indexOf(key)];
  }

  private void experts(ModelConfig found, String type) {
    if (!Set.of("mixtral", "qwen2_moe", "qwen3_moe").contains(type)) {
      assertThat(found.experts()).isNull();
      return;
    }
    boolean mixtral = type.equals("mixtral");
    int layers = found.layers();
    double step = mixtral ? 1 : number("decoder_sparse_step", 1);
    for (int layer = 0; layer < layers; layer++) {
      boolean dense = (layer + 1) % step != 0;
      if (!mixtral && config.get("mlp_only_layers") instanceof Array only) {
        for (Json element : only.elements()) {
          dense |= Double.parseDouble(((Scalar) element).text()) == layer;
        }
      }
      assertThat(found.sparse(layer)).isEqualTo(!dense);
    }
    double width = mixtral ? 14336 : type.equals("qwen2_moe") ? 1408 : 768;
    assertThat((double) found.experts().intermediateSize())
        .isEqualTo(number(mixtral ? "intermediate_size" : "moe_intermediate_size", width));
    assertThat(found.experts().renormalised())
        .isEqualTo(mixtral || flag(config, "norm_topk_prob", false));
    assertThat(found.experts().shared()).isEqualTo(type.equals("qwen2_moe"));
  }

  private void rope(ModelConfig found, String family) {
    Mapping rope =
        is(config.get("rope_parameters"))
            ? (Mapping) config.get("rope_parameters")
            : config.get("rope_scaling") instanceof Mapping older
                ? older
                : new Mapping(java.util.List.of());
    boolean three = family.startsWith("gemma3");
    Mapping local = three && rope.get("sliding_attention") instanceof Mapping own ? own : null;
    if (three && rope.get("full_attention") instanceof Mapping full) {
      rope = full;
    }
    double theta = three || family.equals("mixtral") ? 1_000_000 : 10_000;
    assertThat(found.ropeTheta())
        .isEqualTo(number(rope, "rope_theta", number("rope_theta", theta)));
    double localTheta = number("rope_local_base_freq", 10_000);
    assertThat(found.localRopeTheta())
        .isEqualTo(
            !three ? 0 : local == null ? localTheta : number(local, "rope_theta", localTheta));
    String type = text(rope, "rope_type", text(rope, "type", "default"));
    boolean perLayer = is(rope.get("full_attention")) || is(rope.get("sliding_attention"));
    if (family.equals("phi3") && Set.of("su", "yarn", "longrope").contains(type)) {
      assertThat(found.ropeScaling().shortFactors()).hasSize(found.rotaryDim() / 2);
      return;
    }
    if (!perLayer && type.equals("linear")) {
      assertThat(found.ropeScaling())
          .isEqualTo(new RopeScaling(type, number(rope, "factor", -1), 0, 0, 0));
      return;
    }
    if (perLayer || type.equals("default")) {
      assertThat(found.ropeScaling()).isNull();
    } else if (type.equals("llama3")) {
      double positions =
          number("original_max_position_embeddings", number("max_position_embeddings", -1));
      assertThat(found.ropeScaling())
          .isEqualTo(
              new RopeScaling(
                  type,
                  number(rope, "factor", -1),
                  number(rope, "low_freq_factor", -1),
                  number(rope, "high_freq_factor", -1),
                  (int) number(rope, "original_max_position_embeddings", positions)));
    } else if (type.equals("dynamic") || type.equals("yarn")) {
      double positions =
          number("original_max_position_embeddings", number("max_position_embeddings", -1));
      assertThat(found.ropeScaling().type()).isEqualTo(type);
      assertThat(found.ropeScaling().factor()).isEqualTo(number(rope, "factor", -1));
      assertThat(found.ropeScaling().originalMaxPositions())
          .isEqualTo((int) number(rope, "original_max_position_embeddings", positions));
    } else {
      assertThat(found.unsupportedReason()).isPresent();
    }
  }

  private void window(ModelConfig found, String type) {
    boolean slides =
        gemma
            || Set.of("mistral", "mixtral", "phi3").contains(type)
            || (type.startsWith("qwen") && flag(config, "use_sliding_window", false));
    boolean off =
        config.get("sliding_window") == null
            ? type.equals("phi3") || type.equals("mixtral")
            : !is(config.get("sliding_window"));
    assertThat(found.windows()).hasSize(found.layers());
    for (int layer = 0; layer < found.layers(); layer++) {
      boolean here = slides && !off && slides(type, layer);
      assertThat((double) found.windows().get(layer))
          .isEqualTo(here ? number("sliding_window", 4096) : 0);
    }
  }

  private boolean slides(String type, int layer) {
    if (config.get("layer_types") instanceof Array types) {
      return types.elements().get(layer) instanceof Scalar word
          && word.text().startsWith("\"")
          && StrictJsonReading.string(word.text()).equals("sliding_attention");
    }
    double pattern = number("sliding_window_pattern", number("_sliding_window_pattern", 6));
    return switch (type) {
      case "gemma2" -> layer % 2 == 0;
      case "gemma3", "gemma3_text" -> (layer + 1) % pattern != 0;
      case "qwen2", "qwen3" -> layer >= number("max_window_layers", 28);
      default -> true;
    };
  }

  private static boolean is(Json value) {
    return value != null && !value.equals(new Scalar("null"));
  }

  private double number(String key, double otherwise) {
    return number(config, key, otherwise);
  }

  private static double number(Mapping from, String key, double otherwise) {
    return is(from.get(key)) ? Double.parseDouble(((Scalar) from.get(key)).text()) : otherwise;
  }

  private static boolean flag(Mapping from, String key, boolean otherwise) {
    return is(from.get(key)) ? from.get(key).equals(new Scalar("true")) : otherwise;
  }

  private static String text(Mapping from, String key, String otherwise) {
    return is(from.get(key))
        ? StrictJsonReading.string(((Scalar) from.get(key)).text())
        : otherwise;
  }
}
