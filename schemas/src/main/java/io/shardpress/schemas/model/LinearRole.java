package io.shardpress.schemas.model;

import java.util.Locale;

/** The seven linears of a decoder block, under the names that Transformers gives their modules. */
public enum LinearRole {
  Q("self_attn.q_proj", "num_attention_heads, head_dim"),
  K("self_attn.k_proj", "num_key_value_heads, head_dim"),
  V("self_attn.v_proj", "num_key_value_heads, head_dim"),
  O("self_attn.o_proj", "num_attention_heads, head_dim"),
  GATE("mlp.gate_proj", "intermediate_size"),
  UP("mlp.up_proj", "intermediate_size"),
  DOWN("mlp.down_proj", "intermediate_size");

  private final String module;
  private final String configKeys;

  LinearRole(String module, String configKeys) {
    this.module = module;
    this.configKeys = configKeys;
  }

  /** The module's name inside its block, such as self_attn.q_proj. */
  public String module() {
    return module;
  }

  /** The short name in tables: q, k, v, o, gate, up, down. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Rows of the weight. */
  public int out(ModelConfig config) {
    return switch (this) {
      case Q -> Math.multiplyExact(config.heads(), config.headDim());
      case K, V -> Math.multiplyExact(config.kvHeads(), config.headDim());
      case GATE, UP -> config.intermediateSize();
      case O, DOWN -> config.hiddenSize();
    };
  }

  /** Columns of the weight. */
  public int in(ModelConfig config) {
    return switch (this) {
      case Q, K, V, GATE, UP -> config.hiddenSize();
      case O -> Math.multiplyExact(config.heads(), config.headDim());
      case DOWN -> config.intermediateSize();
    };
  }

  /** Whether the linear has a bias. */
  public boolean bias(ModelConfig config) {
    return switch (this) {
      case Q, K, V -> config.qkvBias();
      case O -> config.oBias();
      case GATE, UP, DOWN -> config.mlpBias();
    };
  }

  /** The keys of config.json that, with hidden_size, decide the weight's shape. */
  String configKeys() {
    return configKeys;
  }
}
