package io.shardpress.spark.layout;

import java.util.Locale;

/**
 * A Llama in bf16, as Transformers lays it out.
 *
 * @param blocks how many
 * @param tied whether lm_head is the embedding
 */
record Llama(
    int blocks, long hidden, long inter, long heads, long kvHeads, long vocab, boolean tied) {
  /** Llama-3.1-405B. */
  static final Llama LLAMA_405B = new Llama(126, 16384, 53248, 128, 8, 128_256, false);

  TensorSpecs tensors() {
    TensorSpecs specs = new TensorSpecs();
    long kv = hidden / heads * kvHeads;
    specs.bf16("model.embed_tokens.weight", vocab, hidden);
    for (int i = 0; i < blocks; i++) {
      String block = "model.layers." + i + ".";
      specs.bf16(block + "input_layernorm.weight", hidden);
      specs.linear(block + "mlp.down_proj", hidden, inter, false);
      specs.linear(block + "mlp.gate_proj", inter, hidden, false);
      specs.linear(block + "mlp.up_proj", inter, hidden, false);
      specs.bf16(block + "post_attention_layernorm.weight", hidden);
      specs.linear(block + "self_attn.k_proj", kv, hidden, false);
      specs.linear(block + "self_attn.o_proj", hidden, hidden, false);
      specs.linear(block + "self_attn.q_proj", hidden, hidden, false);
      specs.linear(block + "self_attn.v_proj", kv, hidden, false);
    }
    specs.bf16("model.norm.weight", hidden);
    if (!tied) {
      specs.bf16("lm_head.weight", vocab, hidden);
    }
    return specs;
  }

  String config() {
    return String.format(
        Locale.ROOT,
        """
    {
      "architectures": ["LlamaForCausalLM"],
      "attention_bias": false,
      "attention_dropout": 0.0,
      "bos_token_id": 128000,
      "eos_token_id": [128001, 128008, 128009],
      "hidden_act": "silu",
      "hidden_size": %d,
      "initializer_range": 0.02,
      "intermediate_size": %d,
      "max_position_embeddings": 131072,
      "mlp_bias": false,
      "model_type": "llama",
      "num_attention_heads": %d,
      "num_hidden_layers": %d,
      "num_key_value_heads": %d,
      "pretraining_tp": 1,
      "rms_norm_eps": 1e-05,
      "rope_scaling": {
        "factor": 8.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192,
        "rope_type": "llama3"
      },
      "rope_theta": 500000.0,
      "tie_word_embeddings": %b,
      "torch_dtype": "bfloat16",
      "use_cache": true,
      "vocab_size": %d
    }
    """,
        hidden,
        inter,
        heads,
        blocks,
        kvHeads,
        tied,
        vocab);
  }
}
