package io.shardpress.schemas.model;

import java.util.Map;
import java.util.Optional;

/**
 * Sizes of the families' configuration classes in Transformers. It writes of a text_config only
 * what differs from them, and Gemma's own files leave out the same.
 */
final class ClassSizes {
  private static final Map<String, Integer> GEMMA =
      sizes(2304, 9216, 26, 8, Map.of("num_key_value_heads", 4, "head_dim", 256));

  private ClassSizes() {}

  /** What the class has for a key; empty where that follows from other keys. */
  static Optional<Integer> of(Family family, String key) {
    return Optional.ofNullable(of(family).get(key));
  }

  private static Map<String, Integer> of(Family family) {
    return switch (family) {
      case LLAMA -> sizes(4096, 11008, 32, 32, Map.of("vocab_size", 32000));
      case MISTRAL, MIXTRAL ->
          sizes(4096, 14336, 32, 32, Map.of("vocab_size", 32000, "num_key_value_heads", 8));
      case QWEN2, QWEN3 ->
          sizes(4096, 22016, 32, 32, Map.of("vocab_size", 151936, "num_key_value_heads", 32));
      case QWEN2_MOE ->
          sizes(2048, 5632, 24, 16, Map.of("vocab_size", 151936, "num_key_value_heads", 16));
      case QWEN3_MOE ->
          sizes(2048, 6144, 24, 32, Map.of("vocab_size", 151936, "num_key_value_heads", 4));
      case GEMMA2 -> with(GEMMA, "vocab_size", 256_000);
      case GEMMA3 -> with(GEMMA, "vocab_size", 262_208);
      case PHI3 -> sizes(3072, 8192, 32, 32, Map.of("vocab_size", 32064));
    };
  }

  private static Map<String, Integer> sizes(
      int hidden, int intermediate, int layers, int heads, Map<String, Integer> others) {
    Map<String, Integer> sizes = new java.util.HashMap<>(others);
    sizes.put("hidden_size", hidden);
    sizes.put("intermediate_size", intermediate);
    sizes.put("num_hidden_layers", layers);
    sizes.put("num_attention_heads", heads);
    return sizes;
  }

  private static Map<String, Integer> with(Map<String, Integer> sizes, String key, int value) {
    Map<String, Integer> more = new java.util.HashMap<>(sizes);
    more.put(key, value);
    return more;
  }
}
