package io.shardpress.schemas.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.KvCacheScheme;
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
                    List.of("lm_head"),
                    null)
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
                List.of(),
                null)
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
    assertThat(
            CompressedTensors.outputTensors(
                "m.q_proj", 64, 256, of(Schemes.named("W4A16")), "BF16"))
        .containsExactly(
            new OutputTensor("m.q_proj.weight_packed", "I32", List.of(64L, 32L)),
            new OutputTensor("m.q_proj.weight_scale", "BF16", List.of(64L, 2L)),
            new OutputTensor("m.q_proj.weight_shape", "I64", List.of(2L)));
  }

  @Test
  void wordsAreRoundedUp() {
    assertThat(
            CompressedTensors.outputTensors("m", 33, 172, of(new WeightScheme(3, false, 0)), "F32"))
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
            () -> CompressedTensors.outputTensors("m", 8, 172, of(Schemes.named("W4A16")), "F16"))
        .withMessageContaining("128 does not divide 172");
  }

  private static SchemeGroup of(WeightScheme weights) {
    return new SchemeGroup(List.of("Linear"), weights);
  }

  /** The shape of formats.md, as llm-compressor's W8A8 and FP8 caches have it. */
  @Test
  void inputsAndTheCacheAreDescribed() {
    SchemeGroup dynamic =
        new SchemeGroup(
            List.of("Linear"), new WeightScheme(8, true, 0), new ActivationScheme(8, true, true));
    assertThat(
            CompressedTensors.quantizationConfig(
                    List.of(dynamic), List.of("lm_head"), new KvCacheScheme(true))
                .toString())
        .isEqualTo(
            "{\"quant_method\":\"compressed-tensors\",\"version\":\"0.12.2\","
                + "\"format\":\"int-quantized\",\"quantization_status\":\"compressed\","
                + "\"global_compression_ratio\":null,\"ignore\":[\"lm_head\"],"
                + "\"kv_cache_scheme\":{\"num_bits\":8,\"type\":\"float\",\"symmetric\":true,"
                + "\"strategy\":\"tensor\",\"dynamic\":false},"
                + "\"sparsity_config\":{},\"transform_config\":{},"
                + "\"config_groups\":{\"group_0\":{\"targets\":[\"Linear\"],\"weights\":"
                + "{\"num_bits\":8,\"type\":\"int\",\"symmetric\":true,\"strategy\":\"channel\","
                + "\"group_size\":null,\"dynamic\":false,\"actorder\":null,"
                + "\"block_structure\":null,\"observer\":\"minmax\",\"observer_kwargs\":{}},"
                + "\"input_activations\":{\"num_bits\":8,\"type\":\"int\",\"symmetric\":true,"
                + "\"strategy\":\"token\",\"dynamic\":true,\"observer\":null},"
                + "\"output_activations\":null}}}");
  }

  @Test
  void groupsOfDifferentFormatsSayTheirs() {
    SchemeGroup fixed =
        new SchemeGroup(
            List.of("a"), new WeightScheme(8, true, 0), new ActivationScheme(8, false, false));
    ObjectNode config =
        CompressedTensors.quantizationConfig(
            List.of(fixed, of(Schemes.named("W4A16"))), List.of(), new KvCacheScheme(false));
    assertThat(config.get("format").asText()).isEqualTo("mixed-precision");
    assertThat(config.at("/config_groups/group_1/format").asText()).isEqualTo("pack-quantized");
    assertThat(config.at("/config_groups/group_0/format").asText()).isEqualTo("int-quantized");
    assertThat(config.at("/config_groups/group_0/input_activations").toString())
        .isEqualTo(
            "{\"num_bits\":8,\"type\":\"int\",\"symmetric\":false,\"strategy\":\"tensor\","
                + "\"dynamic\":false,\"observer\":\"minmax\"}");
    PackedScheme read = PackedScheme.parse("config.json", config);
    assertThat(read.of("b").orElseThrow().activations()).isNull();
    assertThat(read.of("a").orElseThrow().activations()).isEqualTo(fixed.activations());
    assertThat(read.kvCache()).contains(new KvCacheScheme(false));
  }

  @Test
  void integersWithQuantizedInputsTakeAByteEach() {
    SchemeGroup group =
        new SchemeGroup(
            List.of("Linear"),
            new WeightScheme(4, false, 32),
            new ActivationScheme(8, false, false));
    assertThat(CompressedTensors.outputTensors("m", 48, 64, group, "BF16"))
        .containsExactly(
            new OutputTensor("m.weight", "I8", List.of(48L, 64L)),
            new OutputTensor("m.weight_scale", "BF16", List.of(48L, 2L)),
            new OutputTensor("m.weight_zero_point", "I8", List.of(48L, 2L)),
            new OutputTensor("m.input_scale", "BF16", List.of(1L)),
            new OutputTensor("m.input_zero_point", "I8", List.of(1L)));
  }
}
