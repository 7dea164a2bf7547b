package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.schemas.model.ModelConfig;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
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

  /** Places whose frequencies the numbers below are; by Python from the papers' formulas. */
  private static final int[] PLACES = {0, 1, 20, 22, 28, 35, 39, 40, 50, 63};

  private static void checkPlaces(double[] found, double... wanted) {
    for (int i = 0; i < PLACES.length; i++) {
      assertThat(found[PLACES[i]]).isCloseTo(wanted[i], within(1e-13 * wanted[i]));
    }
  }

  /** As Qwen's cards say for long texts. */
  @Test
  void yarnLeavesShortWavesAndStretchesLongOnes() {
    String scaling =
        "{\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768}";
    RotaryEmbedding rotation = RopeFrequencies.of(config(scaling, 1e6, 131072), 0);
    for (int window : new int[] {5, 100_000}) {
      checkPlaces(
          rotation.frequencies(window),
          1,
          0.805842187761482,
          0.0133352143216332,
          0.00865964323360065,
          0.00184827656470688,
          0.000246258406908939,
          6.49039432083703e-05,
          4.44569852509731e-05,
          5.13381256614287e-06,
          3.1023444018793e-07);
    }
    assertThat(rotation.magnitude()).isCloseTo(1.138629436111989, within(1e-14));
  }

  @Test
  void yarnMayBlendBetweenPlacesThatAreNotWhole() {
    String scaling =
        "{\"type\": \"yarn\", \"factor\": 32, \"beta_fast\": 32, \"beta_slow\": 1, \"truncate\":"
            + " false, \"original_max_position_embeddings\": 4096}";
    RotaryEmbedding rotation = RopeFrequencies.of(config(scaling, 150_000, 131072), 0);
    checkPlaces(
        rotation.frequencies(9),
        1,
        0.830086926705971,
        0.0193350011265404,
        0.0115920492562869,
        0.00209379237896969,
        4.61503622587746e-05,
        2.19113638542246e-05,
        1.81883366816896e-05,
        2.82506682715034e-06,
        2.50977730922786e-07);
    assertThat(rotation.magnitude()).isCloseTo(1.3465735902799727, within(1e-14));
    String scaled =
        scaling.replace(
            "\"factor\": 32", "\"factor\": 40, \"mscale\": 0.707, \"mscale_all_dim\": 1.5");
    assertThat(RopeFrequencies.of(config(scaled, 150_000, 131072), 0).magnitude())
        .isCloseTo(0.8116769910542814, within(1e-14));
    String given = scaling.replace("\"factor\"", "\"attention_factor\": 1.25, \"factor\"");
    assertThat(RopeFrequencies.of(config(given, 150_000, 131072), 0).magnitude()).isEqualTo(1.25);
  }

  @Test
  void dynamicGrowsWithTheWindowBeyondTheOriginalLength() {
    RotaryEmbedding rotation =
        RopeFrequencies.of(config("{\"type\": \"dynamic\", \"factor\": 2.0}", 10_000, 2048), 0);
    double[] plain = RopeFrequencies.unscaled(10_000, HEAD_DIM);
    assertThat(rotation.frequencies(16)).isEqualTo(plain);
    assertThat(rotation.frequencies(2048)).isEqualTo(plain);
    checkPlaces(
        rotation.frequencies(2049),
        1,
        0.865950906707982,
        0.0562167100286872,
        0.0421552790384223,
        0.0177750813130829,
        0.00649029586868843,
        0.00364953539740934,
        0.0031603184864495,
        0.000749313512683657,
        0.000115365536811903);
    checkPlaces(
        rotation.frequencies(9000),
        1,
        0.838203445012235,
        0.0293081785723239,
        0.0205914870886108,
        0.00714141646646558,
        0.00207601482605492,
        0.00102477427924993,
        0.000858969331227225,
        0.000147052384963619,
        1.48256864634153e-05);
    assertThat(rotation.magnitude()).isEqualTo(1);
  }

  private static ModelConfig config(String scaling, double theta, int positions) {
    String json =
        String.format(
            Locale.ROOT,
            """
            {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "hidden_size": 4096,
             "intermediate_size": 14336, "num_hidden_layers": 2, "num_attention_heads": 32,
             "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": %d,
             "rms_norm_eps": 1e-5, "rope_theta": %s, "hidden_act": "silu", "rope_scaling": %s}
            """,
            positions,
            theta,
            scaling);
    ModelConfig config = ModelConfig.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
    assertThat(config.unsupportedReason()).isEmpty();
    return config;
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
