package io.shardpress.schemas.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.model.TensorPlace;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against llama.cpp's lists of each architecture's tensors. */
class GgufNamesTest {
  private static ModelConfig config(String modelType) {
    String json =
        """
        {"model_type": "%s", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 32,
         "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 1e4,
         "hidden_act": "silu", "tie_word_embeddings": true}
        """
            .formatted(modelType);
    return ModelConfig.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
  }

  private static Optional<String> name(String modelType, String tensor) {
    return GgufNames.tensor(config(modelType), TensorPlace.of(tensor));
  }

  @ParameterizedTest
  @CsvSource({
    "llama, llama, true, true",
    "mistral, llama, true, true",
    "mixtral, llama, true, true",
    "qwen2_moe, qwen2moe, false, false",
    "qwen3_moe, qwen3moe, false, false",
    "phi3, phi3, false, false",
    "gemma2, gemma2, false, false",
    "gemma3_text, gemma3, false, false",
    "qwen2, qwen2, false, false",
    "qwen3, qwen3, false, false"
  })
  void architecturesTurnHeadsAndStretchFrequencies(
      String modelType, String architecture, boolean neighbours, boolean frequencies) {
    ModelConfig config = config(modelType);
    assertThat(GgufNames.architecture(config)).contains(architecture);
    assertThat(GgufNames.hasRopeFrequencies(config)).isEqualTo(frequencies);
    for (String turned : new String[] {"q_proj.weight", "k_proj.weight", "q_proj.bias"}) {
      TensorPlace place = TensorPlace.of("model.layers.1.self_attn." + turned);
      assertThat(GgufNames.turnsNeighbours(config, place)).isEqualTo(neighbours);
    }
    TensorPlace values = TensorPlace.of("model.layers.1.self_attn.v_proj.weight");
    assertThat(GgufNames.turnsNeighbours(config, values)).isFalse();
  }

  @Test
  void biasesAreThoseThatTheArchitectureHas() {
    String q = "model.layers.1.self_attn.q_proj.bias";
    String o = "model.layers.1.self_attn.o_proj.bias";
    String down = "model.layers.1.mlp.down_proj.bias";
    assertThat(name("llama", q)).contains("blk.1.attn_q.bias");
    assertThat(name("llama", o)).contains("blk.1.attn_output.bias");
    assertThat(name("llama", down)).contains("blk.1.ffn_down.bias");
    assertThat(name("qwen2", q)).contains("blk.1.attn_q.bias");
    assertThat(name("qwen2", o)).isEmpty();
    assertThat(name("qwen3", q)).isEmpty();
    assertThat(name("llama", "model.layers.1.self_attn.sinks")).isEmpty();
    assertThat(GgufNames.architecture(config("falcon"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "mixtral, block_sparse_moe.gate.weight, ffn_gate_inp.weight",
    "mixtral, block_sparse_moe.experts.3.w1.weight, ffn_gate_exps.weight",
    "mixtral, block_sparse_moe.experts.3.w2.weight, ffn_down_exps.weight",
    "mixtral, block_sparse_moe.experts.3.w3.weight, ffn_up_exps.weight",
    "qwen2_moe, mlp.gate.weight, ffn_gate_inp.weight",
    "qwen2_moe, mlp.experts.0.up_proj.weight, ffn_up_exps.weight",
    "qwen2_moe, mlp.shared_expert.gate_proj.weight, ffn_gate_shexp.weight",
    "qwen2_moe, mlp.shared_expert.up_proj.weight, ffn_up_shexp.weight",
    "qwen2_moe, mlp.shared_expert.down_proj.weight, ffn_down_shexp.weight",
    "qwen2_moe, mlp.shared_expert_gate.weight, ffn_gate_inp_shexp.weight",
    "qwen2_moe, self_attn.v_proj.bias, attn_v.bias",
    "qwen3_moe, self_attn.q_norm.weight, attn_q_norm.weight",
    "phi3, self_attn.qkv_proj.weight, attn_qkv.weight",
    "phi3, mlp.gate_up_proj.weight, ffn_up.weight",
    "phi3, post_attention_layernorm.weight, ffn_norm.weight",
    "gemma2, input_layernorm.weight, attn_norm.weight",
    "gemma2, post_attention_layernorm.weight, post_attention_norm.weight",
    "gemma2, pre_feedforward_layernorm.weight, ffn_norm.weight",
    "gemma3_text, post_feedforward_layernorm.weight, post_ffw_norm.weight"
  })
  void familiesHaveTheirOwnTensors(String modelType, String tensor, String wanted) {
    assertThat(name(modelType, "model.layers.1." + tensor)).contains("blk.1." + wanted);
  }

  @Test
  void expertsAreOfModelsThatHaveSome() {
    String up = "model.layers.1.mlp.experts.7.up_proj.weight";
    assertThat(name("llama", up)).isEmpty();
    assertThat(GgufNames.expert(TensorPlace.of(up))).hasValue(7);
    String shared = "model.layers.1.mlp.shared_expert.up_proj.weight";
    assertThat(GgufNames.expert(TensorPlace.of(shared))).isEmpty();
  }
}
