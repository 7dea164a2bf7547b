package io.shardpress.schemas.gguf;

import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.TensorPlace;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What llama.cpp calls architectures and tensors, and how it orders rows. */
public final class GgufNames {
  /** Divisors of the rotary frequencies, [headDim/2]. */
  public static final String ROPE_FREQUENCIES = "rope_freqs.weight";

  /** Longrope's divisors in contexts up to the original length, [rotaryDim/2]. */
  public static final String SHORT_FACTORS = "rope_factors_short.weight";

  /** The same in longer ones. */
  public static final String LONG_FACTORS = "rope_factors_long.weight";

  private static final Map<String, String> IN_BLOCKS =
      Map.ofEntries(
          Map.entry("q", "attn_q.weight"),
          Map.entry("k", "attn_k.weight"),
          Map.entry("v", "attn_v.weight"),
          Map.entry("qkv", "attn_qkv.weight"),
          Map.entry("o", "attn_output.weight"),
          Map.entry("gate", "ffn_gate.weight"),
          Map.entry("up", "ffn_up.weight"),
          // Twice as many rows as up alone, those of gate first.
          Map.entry("gate_up", "ffn_up.weight"),
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
          Map.entry("k_norm", "attn_k_norm.weight"),
          Map.entry("router", "ffn_gate_inp.weight"),
          Map.entry("mlp.shared_expert_gate.weight", "ffn_gate_inp_shexp.weight"),
          Map.entry("shared gate", "ffn_gate_shexp.weight"),
          Map.entry("shared up", "ffn_up_shexp.weight"),
          Map.entry("shared down", "ffn_down_shexp.weight"));

  /** Of families where post_attention_layernorm follows o. */
  private static final Map<String, String> OUTPUT_NORMS =
      Map.of(
          "post_norm", "post_attention_norm.weight",
          "pre_feedforward_layernorm.weight", "ffn_norm.weight",
          "post_feedforward_layernorm.weight", "post_ffw_norm.weight");

  private static final Map<String, String> OUTSIDE =
      Map.of(
          "embed", "token_embd.weight",
          "final_norm", "output_norm.weight",
          "lm_head", "output.weight");

  private static final Pattern EXPERT = Pattern.compile("expert (\\d+) (gate|up|down)");

  private static final Set<String> TURNED = Set.of("q", "k", "q_bias", "k_bias");

  private GgufNames() {}

  /** The architecture, the prefix of a model's keys; empty where none is known here. */
  public static Optional<String> architecture(ModelConfig config) {
    return GgufArchitecture.of(config.modelType()).map(GgufArchitecture::label);
  }

  /** Whether llama.cpp reads {@link #ROPE_FREQUENCIES} for this model. */
  public static boolean hasRopeFrequencies(ModelConfig config) {
    return GgufArchitecture.of(config.modelType())
        .filter(GgufArchitecture.LLAMA::equals)
        .isPresent();
  }

  /** Whether llama.cpp keeps to the windows of layers that slide. */
  public static boolean slides(ModelConfig config) {
    return GgufArchitecture.of(config.modelType())
        .filter(GgufArchitecture::normsOutputs)
        .isPresent();
  }

  /**
   * The name of a tensor at that place; empty where the architecture has none. A block's experts
   * share one, see {@link #expert}.
   */
  public static Optional<String> tensor(ModelConfig config, TensorPlace place) {
    if (place.layer().isEmpty()) {
      return Optional.ofNullable(OUTSIDE.get(place.role()));
    }
    return GgufArchitecture.of(config.modelType())
        .filter(architecture -> config.experts() != null || expert(place).isEmpty())
        .flatMap(architecture -> inBlock(architecture, place.role()))
        .map(name -> "blk." + place.layer().getAsInt() + "." + name);
  }

  private static Optional<String> inBlock(GgufArchitecture architecture, String role) {
    if (role.endsWith("_bias") && !architecture.has(role)) {
      return Optional.empty();
    }
    Matcher expert = EXPERT.matcher(role);
    if (expert.matches()) {
      return Optional.of("ffn_" + expert.group(2) + "_exps.weight");
    }
    return Optional.ofNullable(architecture.normsOutputs() ? OUTPUT_NORMS.get(role) : null)
        .or(() -> Optional.ofNullable(IN_BLOCKS.get(role)));
  }

  /** Which of the experts that lie in one tensor [experts, out, in] it is; empty for none. */
  public static OptionalInt expert(TensorPlace place) {
    Matcher expert = EXPERT.matcher(place.role());
    return expert.matches()
        ? OptionalInt.of(Integer.parseInt(expert.group(1)))
        : OptionalInt.empty();
  }

  /** Whether it decides about experts, which llama.cpp computes with f32. */
  public static boolean routes(String name) {
    return name.contains(".ffn_gate_inp");
  }

  /** Whether it is the weight w of a norm by 1 + w, of which files hold the sum. */
  public static boolean holdsOnePlus(ModelConfig config, String name) {
    return config.traits() != null
        && config.traits().normsFromOne()
        && name.endsWith("norm.weight");
  }

  /**
   * Whether each head's rows change their order: halves of a head, which Hugging Face turns against
   * each other, become neighbours. Row h·D + 2j + i is Hugging Face's row h·D + i·D/2 + j.
   */
  public static boolean turnsNeighbours(ModelConfig config, TensorPlace place) {
    return TURNED.contains(place.role())
        && GgufArchitecture.of(config.modelType())
            .filter(GgufArchitecture::turnsNeighbours)
            .isPresent();
  }
}
