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
  private static final Set<String> KNOWN = Set.of("llama", "mistral", "qwen2", "qwen3");

  private final Mapping root;
  private final Mapping config;

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
    double hidden = number("hidden_size", -1);
    double heads = number("num_attention_heads", -1);
    assertThat((double) found.hiddenSize()).isEqualTo(hidden);
    assertThat((double) found.heads()).isEqualTo(heads);
    assertThat((double) found.kvHeads()).isEqualTo(number("num_key_value_heads", heads));
    assertThat((double) found.headDim())
        .isEqualTo(number("head_dim", type.equals("qwen3") ? 128 : Math.floor(hidden / heads)));
    assertThat((double) found.layers()).isEqualTo(number("num_hidden_layers", -1));
    assertThat((double) found.intermediateSize()).isEqualTo(number("intermediate_size", -1));
    assertThat((double) found.vocabSize()).isEqualTo(number("vocab_size", -1));
    assertThat((double) found.maxPositionEmbeddings())
        .isEqualTo(number("max_position_embeddings", 2048));
    assertThat(found.rmsNormEps()).isEqualTo(number("rms_norm_eps", 1e-6));
    assertThat(found.tieWordEmbeddings())
        .isEqualTo(flag(config, "tie_word_embeddings", flag(root, "tie_word_embeddings", false)));
    boolean bias = flag(config, "attention_bias", false);
    boolean hasKey = type.equals("llama") || type.equals("qwen3");
    assertThat(found.qkvBias()).isEqualTo(type.equals("qwen2") || hasKey && bias);
    assertThat(found.mlpBias()).isEqualTo(type.equals("llama") && flag(config, "mlp_bias", false));
    rope(found);
    window(found, type);
  }

  private void rope(ModelConfig found) {
    Mapping rope =
        is(config.get("rope_parameters"))
            ? (Mapping) config.get("rope_parameters")
            : config.get("rope_scaling") instanceof Mapping older
                ? older
                : new Mapping(java.util.List.of());
    assertThat(found.ropeTheta())
        .isEqualTo(number(rope, "rope_theta", number("rope_theta", 10_000)));
    String type = text(rope, "rope_type", text(rope, "type", "default"));
    boolean perLayer = is(rope.get("full_attention")) || is(rope.get("sliding_attention"));
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
    } else {
      assertThat(found.unsupportedReason()).isPresent();
    }
  }

  private void window(ModelConfig found, String type) {
    boolean slides =
        type.equals("mistral")
            || !type.equals("llama") && flag(config, "use_sliding_window", false);
    boolean off = config.get("sliding_window") != null && !is(config.get("sliding_window"));
    if (!slides || off) {
      assertThat(found.slidingWindow()).isNull();
    } else if (found.slidingWindow() != null) {
      assertThat((double) found.slidingWindow()).isEqualTo(number("sliding_window", 4096));
      boolean all = !is(config.get("layer_types")) && number("max_window_layers", 28) == 0;
      boolean each =
          config.get("layer_types") instanceof Array types
              && types.elements().stream().allMatch(new Scalar("\"sliding_attention\"")::equals);
      assertThat(found.unsupportedReason().isPresent() || all || each || type.equals("mistral"))
          .isTrue();
    } else if (config.get("layer_types") instanceof Array types) {
      assertThat(types.elements()).doesNotContain(new Scalar("\"sliding_attention\""));
    } else {
      assertThat(number("max_window_layers", 28)).isGreaterThanOrEqualTo(found.layers());
    }
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
