package io.shardpress.schemas.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.Schemes;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.List;
import org.junit.jupiter.api.Test;

class CompressedTensorsTest {
  private static final String ACTIVATIONS =
      "\"input_activations\":null,\"output_activations\":null}";

  @Test
  void theConfigIsTheOneThatReadersTake() {
    assertThat(
            CompressedTensors.quantizationConfig(
                    List.of(new SchemeGroup(List.of("Linear"), Schemes.named("W4A16"))),
                    List.of("lm_head"))
                .toString())
        .isEqualTo(
            "{\"quant_method\":\"compressed-tensors\",\"version\":\"0.12.2\","
                + "\"format\":\"pack-quantized\",\"quantization_status\":\"compressed\","
                + "\"global_compression_ratio\":null,\"ignore\":[\"lm_head\"],"
                + "\"kv_cache_scheme\":null,\"sparsity_config\":{},\"transform_config\":{},"
                + "\"config_groups\":{\"group_0\":{\"targets\":[\"Linear\"],\"weights\":"
                + "{\"num_bits\":4,\"type\":\"int\",\"symmetric\":true,\"strategy\":\"group\","
                + "\"group_size\":128,\"dynamic\":false,\"actorder\":null,"
                + "\"block_structure\":null,\"observer\":\"minmax\",\"observer_kwargs\":{}},"
                + ACTIVATIONS
                + "}}");
  }

  @Test
  void groupsKeepTheirOrderAndChannelsHaveNoSize() {
    String config =
        CompressedTensors.quantizationConfig(
                List.of(
                    new SchemeGroup(List.of("re:.*down_proj$"), new WeightScheme(8, false, 0)),
                    new SchemeGroup(List.of("Linear", "b"), new WeightScheme(4, true, 32))),
                List.of())
            .toString();
    assertThat(config)
        .contains("\"ignore\":[]")
        .containsSubsequence(
            "\"group_0\":{\"targets\":[\"re:.*down_proj$\"]",
            "\"num_bits\":8,\"type\":\"int\",\"symmetric\":false,\"strategy\":\"channel\",\"group_size\":null",
            "\"group_1\":{\"targets\":[\"Linear\",\"b\"]",
            "\"strategy\":\"group\",\"group_size\":32");
  }

  @Test
  void symmetricHasNoZeroPoints() {
    assertThat(CompressedTensors.outputTensors("m.q_proj", 64, 256, Schemes.named("W4A16"), "BF16"))
        .containsExactly(
            new OutputTensor("m.q_proj.weight_packed", "I32", List.of(64L, 32L)),
            new OutputTensor("m.q_proj.weight_scale", "BF16", List.of(64L, 2L)),
            new OutputTensor("m.q_proj.weight_shape", "I64", List.of(2L)));
  }

  @Test
  void wordsAreRoundedUp() {
    assertThat(CompressedTensors.outputTensors("m", 33, 172, new WeightScheme(3, false, 0), "F32"))
        .containsExactly(
            new OutputTensor("m.weight_packed", "I32", List.of(33L, 17L)),
            new OutputTensor("m.weight_scale", "F32", List.of(33L, 1L)),
            new OutputTensor("m.weight_zero_point", "I32", List.of(4L, 1L)),
            new OutputTensor("m.weight_shape", "I64", List.of(2L)));
  }

  @Test
  void aGroupThatDoesNotDivideIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> CompressedTensors.outputTensors("m", 8, 172, Schemes.named("W4A16"), "F16"))
        .withMessageContaining("128 does not divide 172");
  }
}
