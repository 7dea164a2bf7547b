package io.shardpress.schemas.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.ShardIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ModelTensorsTest {
  private static final String SMALL =
      "'hidden_size':8,'intermediate_size':12,'num_hidden_layers':2,'num_attention_heads':4,"
          + "'num_key_value_heads':2,'head_dim':4,'vocab_size':10";

  @Test
  void theSampleHasExactlyTheTensorsOfItsConfig() throws IOException {
    Path folder = Path.of("../samples/sample-llama");
    ModelConfig config =
        ModelConfig.parse("config.json", Files.readAllBytes(folder.resolve("config.json")));
    Set<String> found =
        ShardIndex.parse("index", Files.readAllBytes(folder.resolve(ShardIndex.FILE_NAME)))
            .weightMap()
            .keySet();
    assertThat(all(DecoderNames.of(found), config)).containsOnlyKeys(found);
  }

  @Test
  void shapesFollowTheHeads() {
    ModelConfig config = ModelConfigTest.parse("{'model_type':'qwen3'," + SMALL + "}");
    Map<String, List<Long>> shapes = all(DecoderNames.plain(), config);
    assertThat(shapes)
        .hasSize(3 + 2 * 11)
        .containsEntry("model.layers.1.self_attn.q_proj.weight", List.of(16L, 8L))
        .containsEntry("model.layers.1.self_attn.k_proj.weight", List.of(8L, 8L))
        .containsEntry("model.layers.1.self_attn.o_proj.weight", List.of(8L, 16L))
        .containsEntry("model.layers.1.mlp.down_proj.weight", List.of(8L, 12L))
        .containsEntry("model.layers.1.self_attn.k_norm.weight", List.of(4L))
        .containsEntry("lm_head.weight", List.of(10L, 8L));
    assertThatCode(() -> ModelTensors.check("m", config, shapes)).doesNotThrowAnyException();
  }

  @Test
  void namesWhatDisagrees() {
    ModelConfig config = ModelConfigTest.parse("{'model_type':'llama'," + SMALL + "}");
    Map<String, List<Long>> good = all(DecoderNames.plain(), config);
    for (String name : good.keySet()) {
      Map<String, List<Long>> without = new HashMap<>(good);
      without.remove(name);
      if (!name.equals("model.layers.0.input_layernorm.weight")) {
        assertBad(config, without, "m: tensor " + name + ": found no such tensor");
      }
      Map<String, List<Long>> other = new HashMap<>(good);
      other.put(name, List.of(3L, 5L));
      assertBad(config, other, "tensor " + name + ": found shape [3, 5], wanted " + good.get(name));
    }
    Map<String, List<Long>> more = new HashMap<>(good);
    more.put("model.layers.2.input_layernorm.weight", List.of(8L));
    assertBad(config, more, "num_hidden_layers");
    Map<String, List<Long>> bias = new HashMap<>(good);
    bias.put("model.layers.1.self_attn.q_proj.bias", List.of(16L));
    assertBad(config, bias, "model.layers.1.self_attn.q_proj.bias: found it, wanted none");
  }

  @Test
  void aTiedHeadMayBeAbsentOrEqualInShape() {
    ModelConfig config =
        ModelConfigTest.parse("{'model_type':'llama','tie_word_embeddings':true," + SMALL + "}");
    Map<String, List<Long>> shapes = all(DecoderNames.plain(), config);
    assertThat(shapes).doesNotContainKey("lm_head.weight");
    assertThatCode(() -> ModelTensors.check("m", config, shapes)).doesNotThrowAnyException();
    shapes.put("lm_head.weight", List.of(11L, 8L));
    assertBad(config, shapes, "tie_word_embeddings");
  }

  @Test
  void multimodalPrefixesAreFound() {
    assertThat(names("language_model.model", "language_model.lm_head").lmHead())
        .isEqualTo("language_model.lm_head.weight");
    assertThat(names("model.language_model", "lm_head").lmHead()).isEqualTo("lm_head.weight");
    assertThat(names("model.language_model", "lm_head").linear(3, LinearRole.UP))
        .isEqualTo("model.language_model.layers.3.mlp.up_proj.weight");
  }

  @Test
  void namesGiveTheirPlace() {
    assertThat(TensorPlace.of("model.layers.12.self_attn.q_proj.weight").layer()).hasValue(12);
    assertThat(TensorPlace.of("model.layers.12.self_attn.q_proj.weight").role()).isEqualTo("q");
    assertThat(TensorPlace.of("model.layers.0.self_attn.v_proj.bias").role()).isEqualTo("v_bias");
    assertThat(TensorPlace.of("h.7.attn.c_attn.weight").layer()).hasValue(7);
    assertThat(TensorPlace.of("h.7.attn.c_attn.weight").role()).isEqualTo("attn.c_attn.weight");
    assertThat(TensorPlace.of("lm_head.weight").layer()).isEmpty();
    assertThat(TensorPlace.of("lm_head.weight").role()).isEqualTo("lm_head");
    assertThat(TensorPlace.of("model.layers.99999999999.x").layer()).isEmpty();
  }

  private static DecoderNames names(String decoder, String head) {
    return DecoderNames.of(
        Set.of(
            decoder + ".layers.0.input_layernorm.weight", head + ".weight", "vision.layers.0.x"));
  }

  private static Map<String, List<Long>> all(DecoderNames names, ModelConfig config) {
    List<ExpectedTensor> tensors = new ArrayList<>(names.outerTensors(config));
    for (int block = 0; block < config.layers(); block++) {
      tensors.addAll(names.blockTensors(config, block));
    }
    Map<String, List<Long>> shapes = new HashMap<>();
    tensors.forEach(tensor -> shapes.put(tensor.name(), tensor.shape()));
    return shapes;
  }

  private static void assertBad(
      ModelConfig config, Map<String, List<Long>> shapes, String message) {
    assertThatThrownBy(() -> ModelTensors.check("m", config, shapes))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }
}
