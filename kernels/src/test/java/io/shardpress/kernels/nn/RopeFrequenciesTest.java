package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.schemas.model.ModelConfig;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class RopeFrequenciesTest {
  private static final double THETA = 500_000;
  private static final double OLD = 8192;
  private static final int HEAD_DIM = 128;

  @Test
  void plainFrequenciesFallAsPowersOfTheta() {
    double[] found = RopeFrequencies.of(config("null"));
    assertThat(found).hasSize(HEAD_DIM / 2);
    for (int i = 0; i < found.length; i++) {
      double wanted = Math.exp(-2.0 * i / HEAD_DIM * Math.log(THETA));
      assertThat(found[i]).isCloseTo(wanted, within(1e-12 * wanted));
    }
  }

  /** Llama 3.1: short waves stay, long ones are 8 times longer, those between lie between. */
  @Test
  void llama3StretchesLongWaves() {
    double[] plain = RopeFrequencies.of(config("null"));
    double[] found =
        RopeFrequencies.of(
            config(
                """
                {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                 "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
                """));
    int between = 0;
    for (int i = 0; i < plain.length; i++) {
      double wavelength = 2 * Math.PI / plain[i];
      double share = found[i] / plain[i];
      if (wavelength < OLD / 4) {
        assertThat(share).isEqualTo(1);
      } else if (wavelength > OLD) {
        assertThat(share).isCloseTo(1 / 8.0, within(1e-12));
      } else {
        // Linear in the frequency, from 1/8 at one turn of the old context to 1 at four.
        double turns = OLD / wavelength;
        double wanted = 1 / 8.0 + (1 - 1 / 8.0) * (turns - 1) / 3;
        assertThat(share).isCloseTo(wanted, within(1e-12));
        between++;
      }
    }
    assertThat(between).isPositive();
  }

  private static ModelConfig config(String scaling) {
    String json =
        """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096,
         "intermediate_size": 14336, "num_hidden_layers": 2, "num_attention_heads": 32,
         "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 131072,
         "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "hidden_act": "silu",
         "rope_scaling": %s}
        """
            .formatted(scaling);
    return ModelConfig.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
  }
}
