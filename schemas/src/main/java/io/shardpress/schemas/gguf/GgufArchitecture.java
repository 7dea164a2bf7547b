package io.shardpress.schemas.gguf;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** llama.cpp's architectures, with the families that are written as each. */
enum GgufArchitecture {
  LLAMA(
      Set.of("q_bias", "k_bias", "v_bias", "o_bias", "gate_bias", "up_bias", "down_bias"),
      "llama",
      "mistral",
      "mixtral"),
  QWEN2(Set.of("q_bias", "k_bias", "v_bias"), "qwen2"),
  QWEN2MOE(Set.of("q_bias", "k_bias", "v_bias"), "qwen2_moe"),
  QWEN3(Set.of(), "qwen3"),
  QWEN3MOE(Set.of(), "qwen3_moe"),
  PHI3(Set.of(), "phi3"),
  GEMMA2(Set.of(), "gemma2"),
  GEMMA3(Set.of(), "gemma3_text", "gemma3");

  @SuppressWarnings("ImmutableEnumChecker") // copies, by Set.of
  private final Set<String> biases;

  @SuppressWarnings("ImmutableEnumChecker") // a copy, by List.of
  private final List<String> modelTypes;

  GgufArchitecture(Set<String> biases, String... modelTypes) {
    this.biases = biases;
    this.modelTypes = List.of(modelTypes);
  }

  /** The architecture of a family; empty where none is known here. */
  static Optional<GgufArchitecture> of(String modelType) {
    return Stream.of(values()).filter(one -> one.modelTypes.contains(modelType)).findFirst();
  }

  /** Its name in files, the prefix of its keys. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether it has that bias. */
  boolean has(String bias) {
    return biases.contains(bias);
  }

  /** Whether it turns neighbouring elements of a head, not its halves. */
  boolean turnsNeighbours() {
    return this == LLAMA;
  }

  /** Gemma's four norms in a block. */
  boolean normsOutputs() {
    return this == GEMMA2 || this == GEMMA3;
  }
}
