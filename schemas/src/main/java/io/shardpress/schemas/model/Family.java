package io.shardpress.schemas.model;

import java.util.Arrays;
import java.util.Optional;

/** Families whose blocks the kernels have, with what config.json leaves unsaid in each. */
enum Family {
  LLAMA("llama"),
  MISTRAL("mistral"),
  QWEN2("qwen2"),
  QWEN3("qwen3");

  private final String modelType;

  Family(String modelType) {
    this.modelType = modelType;
  }

  static Optional<Family> of(String modelType) {
    return Arrays.stream(values()).filter(family -> family.modelType.equals(modelType)).findFirst();
  }

  boolean qkvBias(ConfigFields config) {
    return switch (this) {
      case LLAMA, QWEN3 -> config.flag("attention_bias", false);
      case MISTRAL -> false;
      case QWEN2 -> true;
    };
  }

  boolean oBias(ConfigFields config) {
    return switch (this) {
      case LLAMA, QWEN3 -> config.flag("attention_bias", false);
      case MISTRAL, QWEN2 -> false;
    };
  }

  boolean mlpBias(ConfigFields config) {
    return this == LLAMA && config.flag("mlp_bias", false);
  }

  boolean qkNorm() {
    return this == QWEN3;
  }

  /** Qwen3's class has a width of its own where the file has none. */
  int headDim(int hiddenSize, int heads) {
    return this == QWEN3 ? 128 : hiddenSize / heads;
  }
}
