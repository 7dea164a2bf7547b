package io.shardpress.schemas.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.fuzz.ByteDamage;
import io.shardpress.schemas.fuzz.Fuzz;
import io.shardpress.schemas.fuzz.FuzzSubject;
import io.shardpress.schemas.fuzz.Json;
import io.shardpress.schemas.fuzz.JsonDamage;
import io.shardpress.schemas.fuzz.StrictJsonReading;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damaged configs of all families: each is read as {@link ConfigOracle} reads it, or rejected in
 * one line. So is what is then asked of it.
 */
class ConfigFuzzTest {
  @Test
  void damagedConfigsAreReadByTheirKeysOrRejected() throws Exception {
    int cases = Fuzz.cases(6000, 60_000);
    Fuzz.Tally tally = Fuzz.run(cases, new Configs());
    assertThat(tally.accepted()).isGreaterThan(cases / 20);
    assertThat(tally.refused()).isGreaterThan(cases / 4);
  }

  private static final class Configs implements FuzzSubject<byte[], ModelConfig> {
    private final List<String> good;

    Configs() throws IOException {
      good =
          List.of(
              Files.readString(Path.of("../samples/sample-llama/config.json")),
              """
              {"model_type":"llama","hidden_size":64,"num_attention_heads":4,"num_hidden_layers":2,
               "intermediate_size":128,"vocab_size":100,"rope_theta":500000.0,"mlp_bias":true,
               "attention_bias":true,"max_position_embeddings":8192,"tie_word_embeddings":false,
               "rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,
               "high_freq_factor":4.0,"original_max_position_embeddings":4096}}
              """,
              """
              {"model_type":"qwen2","hidden_size":64,"num_attention_heads":4,"num_hidden_layers":2,
               "intermediate_size":128,"vocab_size":100,"rope_theta":1000000.0,
               "max_position_embeddings":4096,"rope_scaling":{"type":"yarn","factor":4.0,
               "original_max_position_embeddings":1024,"beta_fast":16,"mscale":0.7,
               "mscale_all_dim":1.0,"attention_factor":1.1,"truncate":false}}
              """,
              """
              {"model_type":"llama","hidden_size":64,"num_attention_heads":4,"num_hidden_layers":2,
               "intermediate_size":128,"vocab_size":100,"max_position_embeddings":512,
               "rope_parameters":{"rope_type":"dynamic","factor":2.0,"rope_theta":10000.0}}
              """,
              """
              {"architectures":["Qwen3ForCausalLM"],"model_type":"qwen3","hidden_size":64,
               "num_attention_heads":4,"num_key_value_heads":2,"num_hidden_layers":2,"head_dim":128,
               "intermediate_size":128,"vocab_size":100,"dtype":"bfloat16","hidden_act":"silu",
               "rope_parameters":{"rope_type":"default","rope_theta":1000000},
               "use_sliding_window":true,"sliding_window":64,"max_window_layers":1,
               "layer_types":["full_attention","sliding_attention"],"rms_norm_eps":1e-06}
              """,
              """
              {"model_type":"llava","tie_word_embeddings":true,"torch_dtype":"torch.float16",
               "text_config":{"model_type":"mistral","hidden_size":64,"num_attention_heads":8,
               "num_hidden_layers":2,"intermediate_size":128,"vocab_size":100,"sliding_window":32}}
              """,
              """
              {"model_type":"gemma3","dtype":"bfloat16","text_config":{"model_type":"gemma3_text",
               "hidden_size":64,"intermediate_size":128,"num_hidden_layers":7,"sliding_window":16,
               "rope_scaling":{"rope_type":"linear","factor":8.0},"rope_theta":1000000.0,
               "rope_local_base_freq":10000.0,"query_pre_attn_scalar":168,
               "final_logit_softcapping":null,"sliding_window_pattern":3}}
              """,
              """
              {"model_type":"gemma2","hidden_size":64,"intermediate_size":128,"vocab_size":100,
               "num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":32,
               "attn_logit_softcapping":40.0,"hidden_activation":"gelu_pytorch_tanh",
               "layer_types":["sliding_attention","full_attention","sliding_attention"]}
              """,
              """
              {"model_type":"phi3","hidden_size":64,"intermediate_size":128,"vocab_size":100,
               "num_hidden_layers":2,"num_attention_heads":8,"partial_rotary_factor":0.5,
               "max_position_embeddings":128,"original_max_position_embeddings":32,
               "rope_scaling":{"type":"longrope","short_factor":[1.0,1.5],"long_factor":[2,3.5]},
               "sliding_window":47}
              """,
              """
              {"model_type":"qwen2_moe","hidden_size":64,"intermediate_size":128,"vocab_size":100,
               "num_hidden_layers":4,"num_attention_heads":4,"num_experts":6,
               "num_experts_per_tok":2,"moe_intermediate_size":32,"norm_topk_prob":true,
               "shared_expert_intermediate_size":48,"decoder_sparse_step":2,"mlp_only_layers":[3]}
              """,
              """
              {"model_type":"mixtral","hidden_size":64,"intermediate_size":128,"vocab_size":100,
               "num_hidden_layers":2,"num_attention_heads":4,"num_local_experts":4,
               "num_experts_per_tok":2,"sliding_window":null,"rope_theta":1e6}
              """,
              """
              {"model_type":"deepseek_v3","hidden_size":7168,"n_routed_experts":256,
               "quantization_config":{"fmt":"e4m3","weight_block_size":[128,128]}}
              """);
    }

    @Override
    public byte[] make(Random random) {
      String text = good.get(random.nextInt(good.size()));
      byte[] json = text.getBytes(StandardCharsets.UTF_8);
      if (random.nextInt(4) > 0) {
        Json tree = StrictJsonReading.read(json, true).orElseThrow();
        json = new JsonDamage(random).damage(tree).write().getBytes(StandardCharsets.UTF_8);
      }
      return random.nextInt(4) == 0 ? new ByteDamage(random).damage(json) : json;
    }

    @Override
    public long bytes(byte[] input) {
      return input.length;
    }

    @Override
    public String show(byte[] input) {
      return new String(input, StandardCharsets.ISO_8859_1);
    }

    @Override
    public ModelConfig read(byte[] input) {
      return ModelConfig.parse("c.json", input);
    }

    @Override
    public boolean isRefusal(Throwable thrown) {
      return thrown instanceof CheckpointException;
    }

    @Override
    public void accepted(byte[] input, ModelConfig config) {
      Optional<Json> json = StrictJsonReading.read(StrictJsonReading.unmarked(input), true);
      assertThat(json).as("JSON by another reader").isPresent();
      new ConfigOracle((Json.Mapping) json.get()).check(config);
      try {
        ModelTensors.check("m", config, Map.of("x", List.of(1L)));
        assertThat(config.knownFamily() && !config.quantized()).isFalse();
      } catch (CheckpointException wanted) {
        assertThat(wanted).hasMessageContaining("tensor ");
      }
    }
  }
}
