package io.shardpress.schemas.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigTest {
  private static final String SIZES =
      "'hidden_size':4096,'intermediate_size':14336,'num_hidden_layers':32,"
          + "'num_attention_heads':32,'num_key_value_heads':8,'vocab_size':128256,";

  static ModelConfig parse(String json) {
    String quoted = json.replace('\'', '"');
    return ModelConfig.parse("config.json", quoted.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void readsTheSample() throws IOException {
    byte[] json = Files.readAllBytes(Path.of("../samples/sample-llama/config.json"));
    ModelConfig config = ModelConfig.parse("config.json", json);
    assertThat(config.unsupportedReason()).isEmpty();
    assertThat(config.architecture()).isEqualTo("LlamaForCausalLM");
    assertThat(config.hiddenSize()).isEqualTo(256);
    assertThat(config.intermediateSize()).isEqualTo(512);
    assertThat(config.layers()).isEqualTo(6);
    assertThat(config.heads()).isEqualTo(8);
    assertThat(config.kvHeads()).isEqualTo(4);
    assertThat(config.headDim()).isEqualTo(32);
    assertThat(config.vocabSize()).isEqualTo(768);
    assertThat(config.maxPositionEmbeddings()).isEqualTo(256);
    assertThat(config.rmsNormEps()).isEqualTo(1e-5);
    assertThat(config.tieWordEmbeddings()).isTrue();
    assertThat(config.dtype()).isEqualTo("bfloat16");
    assertThat(config.ropeScaling()).isNull();
  }

  @Test
  void bothSpellingsOfTransformersGiveTheSameModel() {
    ModelConfig four =
        parse(
            "{'model_type':'llama',"
                + SIZES
                + "'max_position_embeddings':131072,'rope_theta':500000.0,"
                + "'rope_scaling':{'factor':8.0,'low_freq_factor':1.0,'high_freq_factor':4.0,"
                + "'original_max_position_embeddings':8192,'type':'llama3'},"
                + "'torch_dtype':'bfloat16'}");
    ModelConfig five =
        parse(
            "{'model_type':'llama',"
                + SIZES
                + "'max_position_embeddings':131072,"
                + "'rope_parameters':{'rope_theta':500000,'factor':8,'low_freq_factor':1,"
                + "'high_freq_factor':4,'original_max_position_embeddings':8192,"
                + "'rope_type':'llama3'},'dtype':'bfloat16'}");
    assertThat(five).isEqualTo(four);
    assertThat(four.ropeScaling()).isEqualTo(new RopeScaling("llama3", 8, 1, 4, 8192));
    assertThat(four.ropeTheta()).isEqualTo(500000);
    assertThat(four.headDim()).isEqualTo(128);
    assertThat(four.unsupportedReason()).isEmpty();
  }

  @Test
  void textConfigOfAMultimodalFileCounts() {
    String text = "{'model_type':'mistral','sliding_window':null," + SIZES + "'head_dim':160}";
    ModelConfig nested =
        parse("{'model_type':'llava','torch_dtype':'float16','text_config':" + text + "}");
    assertThat(nested.modelType()).isEqualTo("mistral");
    assertThat(nested.headDim()).isEqualTo(160);
    assertThat(nested.dtype()).isEqualTo("float16");
    assertThat(nested.slidingWindow()).isNull();
  }

  @Test
  void familiesDifferInBiasesAndNorms() {
    ModelConfig qwen2 = parse("{'model_type':'qwen2'," + SIZES + "'head_dim':null}");
    assertThat(qwen2.qkvBias()).isTrue();
    assertThat(qwen2.oBias()).isFalse();
    ModelConfig qwen3 = parse("{'model_type':'qwen3'," + SIZES + "'rope_scaling':null}");
    assertThat(qwen3.qkNorm()).isTrue();
    assertThat(qwen3.qkvBias()).isFalse();
    assertThat(qwen3.headDim()).isEqualTo(128);
    ModelConfig llama =
        parse("{'model_type':'llama'," + SIZES + "'attention_bias':true,'mlp_bias':true}");
    assertThat(llama.qkvBias() && llama.oBias() && llama.mlpBias()).isTrue();
    assertThat(llama.rmsNormEps()).isEqualTo(1e-6);
    assertThat(llama.ropeTheta()).isEqualTo(10000);
    assertThat(parse("{'model_type':'mistral'," + SIZES + "'eos':2}").slidingWindow())
        .isEqualTo(4096);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "'use_sliding_window':false,'sliding_window':512 | ",
        "'use_sliding_window':true,'sliding_window':512,'max_window_layers':32 | ",
        "'use_sliding_window':true,'sliding_window':512,'max_window_layers':0 | 512",
        "'use_sliding_window':true,'sliding_window':null,'max_window_layers':0 | ",
      })
  void qwenSlidesOnlyWhereItSaysSo(String keys, Integer window) {
    ModelConfig config = parse("{'model_type':'qwen2'," + SIZES + keys + "}");
    assertThat(config.slidingWindow()).isEqualTo(window);
    assertThat(config.unsupportedReason()).isEmpty();
  }

  @Test
  void layerTypesDecideWhichLayersSlide() {
    String sliding = "'use_sliding_window':true,'sliding_window':512,'max_window_layers':32,";
    String start =
        "{'model_type':'qwen2',"
            + SIZES.replaceAll("'num_hidden_layers':\\d+", "'num_hidden_layers':2");
    ModelConfig config =
        parse(start + sliding + "'layer_types':['sliding_attention','sliding_attention']}");
    assertThat(config.slidingWindow()).isEqualTo(512);
    assertThat(config.unsupportedReason()).isEmpty();
    assertThat(
            parse(start + sliding + "'layer_types':['full_attention','sliding_attention']}")
                .unsupportedReason())
        .hasValueSatisfying(reason -> assertThat(reason).contains("1 of 2 layers"));
    assertThatThrownBy(() -> parse(start + sliding + "'layer_types':['sliding_attention']}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("layer_types: found 1 words, wanted a list of num_hidden_layers = 2");
    assertThatThrownBy(() -> parse(start + sliding.replace("32", "7.5") + "'x':1}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("max_window_layers: found 7.5");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'model_type':'mamba2'} | model_type \"mamba2\": no block for it",
        "{'x':1} | model_type \"\": no block for it",
        "{'model_type':'gpt2','n_embd':8,'head_dim':'odd','hidden_size':1e99} | \"gpt2\"",
        "{'model_type':'llama',SIZES'hidden_act':'gelu'} | hidden_act \"gelu\"",
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'yarn','factor':4}} | rope type \"yarn\"",
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'linear','factor':4}} | \"linear\"",
        "{'model_type':'llama',SIZES'rope_scaling':{'rope_type':'longrope'}} | \"longrope\"",
        "{'model_type':'llama',SIZES'partial_rotary_factor':0.5} | partial_rotary_factor 0.5",
        "{'model_type':'llama',SIZES'quantization_config':{}} | quantized already",
        "{'model_type':'qwen2',SIZES'use_sliding_window':true} | sliding attention in 4 of 32",
      })
  void saysWhatIsMissing(String json, String reason) {
    ModelConfig config = parse(json.replace("SIZES", SIZES));
    assertThat(config.unsupportedReason()).get().asString().contains(reason);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{'model_type':'llama','hidden_size':4} | num_attention_heads: found nothing",
        "{'model_type':'llama',SIZES'head_dim':7} | head_dim: found 7, wanted an even number",
        "{'model_type':'llama',SIZES'head_dim':-8} | head_dim: found -8",
        "{'model_type':'llama',SIZES'head_dim':2000000000} | below 2^31",
        "{'model_type':'llama',SIZES'rms_norm_eps':NaN} | rms_norm_eps: found",
        "{'model_type':'llama',SIZES'mlp_bias':'no'} | mlp_bias: found \"no\"",
        "{'model_type':'llama',SIZES'rope_scaling':7} | rope_scaling: found 7",
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'llama3'}} | low_freq_factor: found nothing",
        "{'model_type':'llama','hidden_size':4,'hidden_size':4} | Duplicate field",
        "[] | wanted a JSON object",
      })
  void rejectsImpossibleValues(String json, String message) {
    assertThatThrownBy(() -> parse(json.replace("SIZES", SIZES)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("config.json: ")
        .hasMessageContaining(message);
  }
}
