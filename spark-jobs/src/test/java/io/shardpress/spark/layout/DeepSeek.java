package io.shardpress.spark.layout;

import java.util.Locale;

/**
 * DeepSeek-V3 as published: latent attention, dense MLPs in the first blocks and experts in the
 * others, a block more that predicts the token after the next.
 *
 * @param blocks without that last one
 * @param dense the first of them, which have no experts
 * @param experts of each other block
 * @param fp8 weights in FP8 with a scale for every 128×128 of them; otherwise in bf16, as the
 *     converter that comes with the model writes them
 */
record DeepSeek(int blocks, int dense, int experts, boolean fp8) {
  /** As it is published: 91 991 tensors. */
  static final DeepSeek V3 = new DeepSeek(61, 3, 256, true);

  private static final long HIDDEN = 7168;
  private static final long VOCAB = 129_280;
  private static final long HEADS = 128;
  private static final long Q_RANK = 1536;
  private static final long KV_RANK = 512;
  private static final long ROPE = 64;
  private static final long NOPE = 128;
  private static final long VALUE = 128;
  private static final long DENSE_INTER = 18_432;
  private static final long EXPERT_INTER = 2048;

  TensorSpecs tensors() {
    TensorSpecs specs = new TensorSpecs();
    specs.bf16("model.embed_tokens.weight", VOCAB, HIDDEN);
    for (int i = 0; i <= blocks; i++) {
      String block = "model.layers." + i + ".";
      attention(specs, block + "self_attn.");
      if (i < dense) {
        mlp(specs, block + "mlp.", DENSE_INTER);
      } else {
        experts(specs, block + "mlp.");
      }
      specs.bf16(block + "input_layernorm.weight", HIDDEN);
      specs.bf16(block + "post_attention_layernorm.weight", HIDDEN);
      if (i == blocks) {
        next(specs, block);
      }
    }
    specs.bf16("model.norm.weight", HIDDEN);
    specs.bf16("lm_head.weight", VOCAB, HIDDEN);
    return specs;
  }

  private void attention(TensorSpecs specs, String name) {
    specs.linear(name + "q_a_proj", Q_RANK, HIDDEN, fp8);
    specs.bf16(name + "q_a_layernorm.weight", Q_RANK);
    specs.linear(name + "q_b_proj", HEADS * (NOPE + ROPE), Q_RANK, fp8);
    specs.linear(name + "kv_a_proj_with_mqa", KV_RANK + ROPE, HIDDEN, fp8);
    specs.bf16(name + "kv_a_layernorm.weight", KV_RANK);
    specs.linear(name + "kv_b_proj", HEADS * (NOPE + VALUE), KV_RANK, fp8);
    specs.linear(name + "o_proj", HIDDEN, HEADS * VALUE, fp8);
  }

  private void mlp(TensorSpecs specs, String name, long inter) {
    specs.linear(name + "gate_proj", inter, HIDDEN, fp8);
    specs.linear(name + "up_proj", inter, HIDDEN, fp8);
    specs.linear(name + "down_proj", HIDDEN, inter, fp8);
  }

  private void experts(TensorSpecs specs, String name) {
    specs.bf16(name + "gate.weight", experts, HIDDEN);
    specs.f32(name + "gate.e_score_correction_bias", experts);
    mlp(specs, name + "shared_experts.", EXPERT_INTER);
    for (int i = 0; i < experts; i++) {
      mlp(specs, name + "experts." + i + ".", EXPERT_INTER);
    }
  }

  private void next(TensorSpecs specs, String block) {
    specs.bf16(block + "embed_tokens.weight", VOCAB, HIDDEN);
    specs.bf16(block + "enorm.weight", HIDDEN);
    specs.bf16(block + "hnorm.weight", HIDDEN);
    specs.bf16(block + "eh_proj.weight", HIDDEN, 2 * HIDDEN);
    specs.bf16(block + "shared_head.norm.weight", HIDDEN);
    specs.bf16(block + "shared_head.head.weight", VOCAB, HIDDEN);
  }

  String config() {
    String quantization =
        fp8
            ? """
              "quantization_config": {
                "activation_scheme": "dynamic",
                "fmt": "e4m3",
                "quant_method": "fp8",
                "weight_block_size": [128, 128]
              },
            """
            : "";
    return String.format(
        Locale.ROOT,
        """
    {
      "architectures": ["DeepseekV3ForCausalLM"],
      "attention_bias": false,
      "attention_dropout": 0.0,
      "auto_map": {
        "AutoConfig": "configuration_deepseek.DeepseekV3Config",
        "AutoModelForCausalLM": "modeling_deepseek.DeepseekV3ForCausalLM"
      },
      "aux_loss_alpha": 0.001,
      "bos_token_id": 0,
      "eos_token_id": 1,
      "ep_size": 1,
      "first_k_dense_replace": %d,
      "hidden_act": "silu",
      "hidden_size": 7168,
      "initializer_range": 0.02,
      "intermediate_size": 18432,
      "kv_lora_rank": 512,
      "max_position_embeddings": 163840,
      "model_type": "deepseek_v3",
      "moe_intermediate_size": 2048,
      "moe_layer_freq": 1,
      "n_group": 8,
      "n_routed_experts": %d,
      "n_shared_experts": 1,
      "norm_topk_prob": true,
      "num_attention_heads": 128,
      "num_experts_per_tok": 8,
      "num_hidden_layers": %d,
      "num_key_value_heads": 128,
      "num_nextn_predict_layers": 1,
      "pretraining_tp": 1,
      "q_lora_rank": 1536,
      "qk_nope_head_dim": 128,
      "qk_rope_head_dim": 64,
    %s  "rms_norm_eps": 1e-06,
      "rope_scaling": {
        "beta_fast": 32,
        "beta_slow": 1,
        "factor": 40,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
        "original_max_position_embeddings": 4096,
        "type": "yarn"
      },
      "rope_theta": 10000,
      "routed_scaling_factor": 2.5,
      "scoring_func": "sigmoid",
      "tie_word_embeddings": false,
      "topk_group": 4,
      "topk_method": "noaux_tc",
      "torch_dtype": "bfloat16",
      "use_cache": true,
      "v_head_dim": 128,
      "vocab_size": 129280
    }
    """,
        dense,
        experts,
        blocks,
        quantization);
  }
}
