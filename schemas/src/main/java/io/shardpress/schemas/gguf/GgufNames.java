package io.shardpress.schemas.gguf;

import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.TensorPlace;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What llama.cpp calls architectures and tensors, and how it orders rows. */
public final class GgufNames {
  /** Divisors of the rotary frequencies, [headDim/2]. */
  public static final String ROPE_FREQUENCIES = "rope_freqs.weight";

  /** By model_type. */
  private static final Map<String, String> ARCHITECTURES =
      Map.of("llama", "llama", "mistral", "llama", "qwen2", "qwen2", "qwen3", "qwen3");

  /** Architectures that turn neighbouring elements of a head, not its halves. */
  private static final Set<String> TURNING_NEIGHBOURS = Set.of("llama");

  /** Biases that an architecture has; of others it knows none. */
  private static final Map<String, Set<String>> BIASES =
      Map.of(
          "llama",
          Set.of("q_bias", "k_bias", "v_bias", "o_bias", "gate_bias", "up_bias", "down_bias"),
          "qwen2",
          Set.of("q_bias", "k_bias", "v_bias"),
          "qwen3",
          Set.of());

  private static final Map<String, String> IN_BLOCKS =
      Map.ofEntries(
          Map.entry("q", "attn_q.weight"),
          Map.entry("k", "attn_k.weight"),
          Map.entry("v", "attn_v.weight"),
          Map.entry("o", "attn_output.weight"),
          Map.entry("gate", "ffn_gate.weight"),
          Map.entry("up", "ffn_up.weight"),
          Map.entry("down", "ffn_down.weight"),
          Map.entry("q_bias", "attn_q.bias"),
          Map.entry("k_bias", "attn_k.bias"),
          Map.entry("v_bias", "attn_v.bias"),
          Map.entry("o_bias", "attn_output.bias"),
          Map.entry("gate_bias", "ffn_gate.bias"),
          Map.entry("up_bias", "ffn_up.bias"),
          Map.entry("down_bias", "ffn_down.bias"),
          Map.entry("input_norm", "attn_norm.weight"),
          Map.entry("post_norm", "ffn_norm.weight"),
          Map.entry("q_norm", "attn_q_norm.weight"),
          Map.entry("k_norm", "attn_k_norm.weight"));

  private static final Map<String, String> OUTSIDE =
      Map.of(
          "embed", "token_embd.weight",
          "final_norm", "output_norm.weight",
          "lm_head", "output.weight");

  private static final Set<String> TURNED = Set.of("q", "k", "q_bias", "k_bias");

  private GgufNames() {}

  /** The architecture, the prefix of a model's keys; empty where none is known here. */
  public static Optional<String> architecture(ModelConfig config) {
    return Optional.ofNullable(ARCHITECTURES.get(config.modelType()));
  }

  /** Whether llama.cpp reads {@link #ROPE_FREQUENCIES} for this model. */
  public static boolean hasRopeFrequencies(ModelConfig config) {
    return architecture(config).filter("llama"::equals).isPresent();
  }

  /** The name of a tensor at that place; empty where the architecture has none. */
  public static Optional<String> tensor(ModelConfig config, TensorPlace place) {
    if (place.layer().isEmpty()) {
      return Optional.ofNullable(OUTSIDE.get(place.role()));
    }
    String architecture = architecture(config).orElse("");
    if (place.role().endsWith("_bias")
        && !BIASES.getOrDefault(architecture, Set.of()).contains(place.role())) {
      return Optional.empty();
    }
    return Optional.ofNullable(IN_BLOCKS.get(place.role()))
        .map(name -> "blk." + place.layer().getAsInt() + "." + name);
  }

  /**
   * Whether each head's rows change their order: halves of a head, which Hugging Face turns against
   * each other, become neighbours. Row h·D + 2j + i is Hugging Face's row h·D + i·D/2 + j.
   */
  public static boolean turnsNeighbours(ModelConfig config, TensorPlace place) {
    return TURNED.contains(place.role())
        && architecture(config).filter(TURNING_NEIGHBOURS::contains).isPresent();
  }
}
