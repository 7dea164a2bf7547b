package io.shardpress.schemas.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Families whose blocks the kernels have, with what config.json leaves unsaid in each. */
enum Family {
  LLAMA("llama"),
  MISTRAL("mistral"),
  QWEN2("qwen2"),
  QWEN3("qwen3"),
  MIXTRAL("mixtral"),
  QWEN2_MOE("qwen2_moe"),
  QWEN3_MOE("qwen3_moe"),
  GEMMA2("gemma2"),
  GEMMA3("gemma3_text", "gemma3"),
  PHI3("phi3");

  @SuppressWarnings("ImmutableEnumChecker") // a copy, by List.of
  private final List<String> modelTypes;

  Family(String... modelTypes) {
    this.modelTypes = List.of(modelTypes);
  }

  static Optional<Family> of(String modelType) {
    return Stream.of(values()).filter(family -> family.modelTypes.contains(modelType)).findFirst();
  }

  /** What config.json calls it. */
  String modelType() {
    return modelTypes.get(0);
  }

  boolean gemma() {
    return this == GEMMA2 || this == GEMMA3;
  }

  boolean qkvBias(ConfigFields config) {
    return switch (this) {
      case LLAMA, QWEN3, QWEN3_MOE, GEMMA2, GEMMA3 -> config.flag("attention_bias", false);
      case MISTRAL, MIXTRAL, PHI3 -> false;
      case QWEN2 -> true;
      case QWEN2_MOE -> config.flag("qkv_bias", true);
    };
  }

  boolean oBias(ConfigFields config) {
    return switch (this) {
      case LLAMA, QWEN3, QWEN3_MOE, GEMMA2, GEMMA3 -> config.flag("attention_bias", false);
      case MISTRAL, MIXTRAL, QWEN2, QWEN2_MOE, PHI3 -> false;
    };
  }

  boolean mlpBias(ConfigFields config) {
    return this == LLAMA && config.flag("mlp_bias", false);
  }

  boolean qkNorm() {
    return this == QWEN3 || this == QWEN3_MOE || this == GEMMA3;
  }

  /** Qwen3's class has a width of its own where the file has none. */
  int headDim(int hiddenSize, int heads) {
    return this == QWEN3 ? 128 : hiddenSize / heads;
  }

  double rmsNormEps() {
    return switch (this) {
      case PHI3, MIXTRAL -> 1e-5;
      default -> 1e-6;
    };
  }

  double ropeTheta() {
    return this == GEMMA3 || this == MIXTRAL ? 1_000_000 : 10_000;
  }

  int maxPositionEmbeddings() {
    return switch (this) {
      case LLAMA -> 2048;
      case PHI3 -> 4096;
      case GEMMA2 -> 8192;
      case QWEN2, QWEN3, QWEN2_MOE, QWEN3_MOE -> 32_768;
      case MISTRAL, MIXTRAL, GEMMA3 -> 131_072;
    };
  }

  String activation(ConfigFields config) {
    return gemma()
        ? config
            .text("hidden_activation")
            .or(() -> config.text("hidden_act"))
            .orElse("gelu_pytorch_tanh")
        : config.text("hidden_act").orElse("silu");
  }

  /** How the blocks differ from Llama's. */
  BlockTraits traits(ConfigFields config, int headDim, BlockTraits.Activation activation) {
    return switch (this) {
      case GEMMA2, GEMMA3 ->
          new BlockTraits(
              false,
              true,
              true,
              activation,
              config.number("query_pre_attn_scalar").orElse(256.0),
              cap(config, "attn_logit_softcapping", 50),
              cap(config, "final_logit_softcapping", 30),
              true);
      default -> new BlockTraits(this == PHI3, false, false, activation, headDim, 0, 0, false);
    };
  }

  /** A cap that Gemma 2 has where the file has no such key; null is none. */
  private double cap(ConfigFields config, String key, double otherwise) {
    boolean unsaid = this == GEMMA2 && !config.has(key);
    return config.number(key).orElse(unsaid ? otherwise : 0.0);
  }
}
