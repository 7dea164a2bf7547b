package io.shardpress.spark.layout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.spark.family.FamilyTensors;

/**
 * Published models of each family at full size: config.json as they have it, in the spelling of one
 * version of Transformers or another, and their tensors' names.
 */
enum FamilyLayout {
  MISTRAL_7B(
      """
      {"architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
      "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
      "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
      "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
      "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
      "tie_word_embeddings": false, "torch_dtype": "bfloat16", "vocab_size": 32000}
      """),
  /** Phi-4-mini, by Transformers 5. */
  PHI_4_MINI(
      """
      {"architectures": ["Phi3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
      "dtype": "bfloat16", "embd_pdrop": 0.0, "full_attn_mod": 1, "hidden_act": "silu",
      "hidden_size": 3072, "intermediate_size": 8192, "interpolate_factor": 1,
      "lm_head_bias": false, "max_position_embeddings": 131072, "mlp_bias": false,
      "model_type": "phi3", "num_attention_heads": 24, "num_hidden_layers": 32,
      "num_key_value_heads": 8, "original_max_position_embeddings": 4096,
      "rms_norm_eps": 1e-05, "rope_parameters": {"rope_type": "longrope", "rope_theta": 10000.0,
      "partial_rotary_factor": 0.75, "short_factor": [FACTORS], "long_factor": [FACTORS]},
      "sliding_window": 262144, "tie_word_embeddings": true, "vocab_size": 200064}
      """),
  GEMMA_2_9B(
      """
      {"architectures": ["Gemma2ForCausalLM"], "attention_bias": false,
      "attn_logit_softcapping": 50.0, "bos_token_id": 2, "cache_implementation": "hybrid",
      "eos_token_id": 1, "final_logit_softcapping": 30.0, "head_dim": 256,
      "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
      "hidden_size": 3584, "initializer_range": 0.02, "intermediate_size": 14336,
      "max_position_embeddings": 8192, "model_type": "gemma2", "num_attention_heads": 16,
      "num_hidden_layers": 42, "num_key_value_heads": 8, "pad_token_id": 0,
      "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_theta": 10000.0,
      "sliding_window": 4096, "sliding_window_size": 4096, "torch_dtype": "bfloat16",
      "use_cache": true, "vocab_size": 256000}
      """),
  /** With a vision tower, and a text_config that leaves out what is as in its class. */
  GEMMA_3_4B(
      """
      {"architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255999,
      "eoi_token_index": 256000, "eos_token_id": [1, 106], "image_token_index": 262144,
      "mm_tokens_per_image": 256, "model_type": "gemma3", "text_config": {"hidden_size": 2560,
      "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
      "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024},
      "torch_dtype": "bfloat16", "vision_config": {"hidden_size": 1152, "image_size": 896,
      "intermediate_size": 4304, "model_type": "siglip_vision_model", "num_attention_heads": 16,
      "num_hidden_layers": 27, "patch_size": 14, "vision_use_head": false}}
      """) {
    @Override
    TensorSpecs tensors() {
      ObjectNode whole = (ObjectNode) tree(config()).get("text_config");
      whole.put("num_attention_heads", 8).put("num_key_value_heads", 4);
      whole.put("head_dim", 256).put("vocab_size", 262_208);
      TensorSpecs specs = new TensorSpecs();
      add(specs, whole, "language_model.");
      specs.bf16("multi_modal_projector.mm_input_projection_weight", 1152, 2560);
      specs.bf16("multi_modal_projector.mm_soft_emb_norm.weight", 1152);
      for (int i = 0; i < 27; i++) {
        String block = "vision_tower.vision_model.encoder.layers." + i + ".";
        for (String name : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
          specs.bf16(block + "self_attn." + name + ".weight", 1152, 1152);
          specs.bf16(block + "self_attn." + name + ".bias", 1152);
        }
        specs.bf16(block + "mlp.fc1.weight", 4304, 1152);
        specs.bf16(block + "mlp.fc2.weight", 1152, 4304);
      }
      return specs;
    }
  },
  MIXTRAL_8X7B(
      """
      {"architectures": ["MixtralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1,
      "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
      "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mixtral",
      "num_attention_heads": 32, "num_experts_per_tok": 2, "num_hidden_layers": 32,
      "num_key_value_heads": 8, "num_local_experts": 8, "output_router_logits": false,
      "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02,
      "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
      "use_cache": true, "vocab_size": 32000}
      """),
  QWEN15_MOE_A27B(
      """
      {"architectures": ["Qwen2MoeForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
      "decoder_sparse_step": 1, "eos_token_id": 151643, "hidden_act": "silu",
      "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 5632,
      "max_position_embeddings": 8192, "max_window_layers": 21, "model_type": "qwen2_moe",
      "moe_intermediate_size": 1408, "norm_topk_prob": false, "num_attention_heads": 16,
      "num_experts": 60, "num_experts_per_tok": 4, "num_hidden_layers": 24,
      "num_key_value_heads": 16, "output_router_logits": false, "rms_norm_eps": 1e-06,
      "rope_theta": 1000000.0, "router_aux_loss_coef": 0.001,
      "shared_expert_intermediate_size": 5632, "sliding_window": 32768,
      "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
      "use_sliding_window": false, "vocab_size": 151936}
      """),
  /** By Transformers 5. */
  QWEN3_30B_A3B(
      """
      {"architectures": ["Qwen3MoeForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
      "decoder_sparse_step": 1, "dtype": "bfloat16", "eos_token_id": 151645, "head_dim": 128,
      "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
      "intermediate_size": 6144, "max_position_embeddings": 40960, "max_window_layers": 48,
      "mlp_only_layers": [], "model_type": "qwen3_moe", "moe_intermediate_size": 768,
      "norm_topk_prob": true, "num_attention_heads": 32, "num_experts": 128,
      "num_experts_per_tok": 8, "num_hidden_layers": 48, "num_key_value_heads": 4,
      "output_router_logits": false, "rms_norm_eps": 1e-06, "rope_parameters": {
      "rope_theta": 1000000.0, "rope_type": "default"}, "router_aux_loss_coef": 0.001,
      "sliding_window": null, "tie_word_embeddings": false, "use_cache": true,
      "use_sliding_window": false, "vocab_size": 151936}
      """);

  private static final int PHI_FREQUENCIES = 48;

  private final String json;

  FamilyLayout(String json) {
    this.json = json;
  }

  String config() {
    return json.replace("FACTORS", "1.5" + ", 1.5".repeat(PHI_FREQUENCIES - 1));
  }

  TensorSpecs tensors() {
    TensorSpecs specs = new TensorSpecs();
    add(specs, tree(config()), "");
    return specs;
  }

  static JsonNode tree(String json) {
    try {
      return new JsonMapper().readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void add(TensorSpecs specs, JsonNode config, String prefix) {
    FamilyTensors.of(config, prefix)
        .forEach(
            (name, shape) -> {
              long[] sides = shape.stream().mapToLong(Long::longValue).toArray();
              specs.bf16(name, sides);
            });
  }
}
