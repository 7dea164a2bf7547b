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

  /** As LLaVA-1.5-7B's and Pixtral-12B's files have them: what is as in the class is not there. */
  @Test
  void aTextConfigHasOnlyWhatDiffersFromItsClass() {
    ModelConfig llava =
        parse(
            "{'model_type':'llava','text_config':{'model_type':'llama','rms_norm_eps':1e-05,"
                + "'max_position_embeddings':4096,'torch_dtype':'float16','vocab_size':32064},"
                + "'torch_dtype':'float16'}");
    assertThat(llava.unsupportedReason()).isEmpty();
    assertThat(llava.hiddenSize()).isEqualTo(4096);
    assertThat(llava.intermediateSize()).isEqualTo(11008);
    assertThat(llava.layers()).isEqualTo(32);
    assertThat(llava.heads()).isEqualTo(32);
    assertThat(llava.kvHeads()).isEqualTo(32);
    assertThat(llava.vocabSize()).isEqualTo(32064);
    ModelConfig pixtral =
        parse(
            "{'model_type':'llava','text_config':{'model_type':'mistral','hidden_size':5120,"
                + "'head_dim':128,'max_position_embeddings':1024000,'num_hidden_layers':40,"
                + "'rope_theta':1000000000.0,'sliding_window':null,'vocab_size':131072}}");
    assertThat(pixtral.heads()).isEqualTo(32);
    assertThat(pixtral.kvHeads()).isEqualTo(8);
    assertThat(pixtral.intermediateSize()).isEqualTo(14336);
    assertThat(pixtral.headDim()).isEqualTo(128);
    // Null is as many as query heads.
    ModelConfig all =
        parse("{'model_type':'mistral'," + SIZES.replace("heads':8", "heads':null") + "'x':1}");
    assertThat(all.kvHeads()).isEqualTo(32);
    ModelConfig unsaid =
        parse("{'model_type':'mistral'," + SIZES.replace("num_key_value", "y") + "'x':1}");
    assertThat(unsaid.kvHeads()).isEqualTo(8);
    assertThat(unsaid.maxPositionEmbeddings()).isEqualTo(131072);
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

  /** Of Qwen2, layers from max_window_layers on slide. */
  @Test
  void someLayersSlide() {
    ModelConfig config = parse("{'model_type':'qwen2'," + SIZES + "'use_sliding_window':true}");
    assertThat(config.unsupportedReason()).isEmpty();
    assertThat(config.windows().subList(0, 28)).containsOnly(0);
    assertThat(config.windows().subList(28, 32)).containsOnly(4096);
  }

  /** The keys that the 4B model's file has are few: the others are as in the class. */
  @Test
  void gemmaLeavesMuchUnsaid() {
    String four =
        "{'model_type':'gemma3','text_config':{'hidden_size':2560,'intermediate_size':10240,"
            + "'model_type':'gemma3_text','num_hidden_layers':34,'rope_scaling':{'factor':8.0,"
            + "'rope_type':'linear'},'sliding_window':1024},'torch_dtype':'bfloat16'}";
    ModelConfig config = parse(four);
    assertThat(config.unsupportedReason()).isEmpty();
    assertThat(config.heads()).isEqualTo(8);
    assertThat(config.kvHeads()).isEqualTo(4);
    assertThat(config.headDim()).isEqualTo(256);
    assertThat(config.vocabSize()).isEqualTo(262_208);
    assertThat(config.tieWordEmbeddings()).isTrue();
    assertThat(config.qkNorm()).isTrue();
    assertThat(config.ropeTheta()).isEqualTo(1e6);
    assertThat(config.localRopeTheta()).isEqualTo(1e4);
    assertThat(config.ropeScaling()).isEqualTo(new RopeScaling("linear", 8, 0, 0, 0));
    assertThat(config.windows().subList(0, 6)).containsExactly(1024, 1024, 1024, 1024, 1024, 0);
    assertThat(config.traits().scoreCap()).isZero();
    assertThat(config.traits().logitCap()).isZero();
    String five =
        "{'model_type':'gemma3','dtype':'bfloat16','text_config':{'hidden_size':2560,"
            + "'intermediate_size':10240,'model_type':'gemma3_text','num_hidden_layers':34,"
            + "'sliding_window':1024,'layer_types':["
            + String.join(",", java.util.Collections.nCopies(5, SIX_LAYERS))
            + ",'sliding_attention','sliding_attention','sliding_attention','sliding_attention'],"
            + "'rope_parameters':{'full_attention':{'rope_type':'linear','factor':8.0,"
            + "'rope_theta':1000000.0},'sliding_attention':{'rope_type':'default',"
            + "'rope_theta':10000.0}}}}";
    assertThat(parse(five)).isEqualTo(config);
    ModelConfig two =
        parse("{'model_type':'gemma2'," + SIZES + "'head_dim':256,'query_pre_attn_scalar':144}");
    assertThat(two.traits().scoreCap()).isEqualTo(50);
    assertThat(two.traits().logitCap()).isEqualTo(30);
    assertThat(two.traits().queryScalar()).isEqualTo(144);
    assertThat(two.windows().subList(0, 3)).containsExactly(4096, 0, 4096);
    assertThat(two.qkNorm()).isFalse();
  }

  private static final String SIX_LAYERS =
      "'sliding_attention','sliding_attention','sliding_attention','sliding_attention',"
          + "'sliding_attention','full_attention'";

  /** Factors of 64 frequencies; √(1 + ln 32 / ln 4096) as the paper's authors have it. */
  @Test
  void phiStretchesEachFrequency() {
    String factors = "[" + String.join(",", java.util.Collections.nCopies(64, "1.5")) + "]";
    ModelConfig config =
        parse(
            "{'model_type':'phi3',"
                + SIZES
                + "'max_position_embeddings':131072,'original_max_position_embeddings':4096,"
                + "'sliding_window':262144,'rope_scaling':{'type':'su','short_factor':"
                + factors
                + ",'long_factor':"
                + factors.replace("1.5", "40")
                + "}}");
    assertThat(config.unsupportedReason()).isEmpty();
    assertThat(config.ropeScaling().type()).isEqualTo("longrope");
    assertThat(config.ropeScaling().longFactors()).hasSize(64).containsOnly(40.0);
    assertThat(config.ropeScaling().magnitude())
        .isCloseTo(1.1902380714238083, org.assertj.core.api.Assertions.within(1e-12));
    assertThat(config.linears(0)).isEqualTo(LinearRole.FUSED);
    assertThat(config.rmsNormEps()).isEqualTo(1e-5);
    ModelConfig part = parse("{'model_type':'phi3'," + SIZES + "'partial_rotary_factor':0.75}");
    assertThat(part.rotaryDim()).isEqualTo(96);
    assertThat(part.slidingWindow()).isNull();
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
    ModelConfig mixed =
        parse(start + sliding + "'layer_types':['full_attention','sliding_attention']}");
    assertThat(mixed.unsupportedReason()).isEmpty();
    assertThat(mixed.windows()).containsExactly(0, 512);
    assertThat(
            parse(start + sliding + "'layer_types':['full_attention','chunked_attention']}")
                .unsupportedReason())
        .hasValueSatisfying(reason -> assertThat(reason).contains("chunked_attention"));
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
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'ntk','factor':4}} | rope type"
            + " \"ntk\"",
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'mrope','factor':4}} | \"mrope\"",
        "{'model_type':'gemma3_text',SIZES'use_bidirectional_attention':true} | only causal",
        "{'model_type':'llama',SIZES'rope_parameters':{'full_attention':{'rope_theta':1e4}}} | per"
            + " layer type",
        "{'model_type':'llama',SIZES'rope_scaling':{'rope_type':'longrope'}} | \"longrope\"",
        "{'model_type':'llama',SIZES'partial_rotary_factor':0.5} | partial_rotary_factor 0.5",
        "{'model_type':'llama',SIZES'quantization_config':{}} | quantized already",
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
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'yarn'}} | factor: found",
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'dynamic','factor':0.5}} | at least 1",
        "{'model_type':'llama',SIZES'max_position_embeddings':99,'rope_scaling':{'type':'yarn','factor':2,'beta_slow':40}}"
            + " | beta_slow: found",
        "{'model_type':'llama',SIZES'rope_scaling':{'type':'llama3'}} | low_freq_factor: found"
            + " nothing",
        "{'model_type':'phi3',SIZES'partial_rotary_factor':0.26} | an even number of elements",
        "{'model_type':'phi3',SIZES'rope_scaling':{'type':'longrope'}} | short_factor: found"
            + " nothing",
        "{'model_type':'phi3',SIZES'rope_scaling':{'type':'su','short_factor':[1],'long_factor':[1]}}"
            + " | found 1 factors, wanted 64",
        "{'model_type':'mixtral',SIZES'num_experts_per_tok':9} | num_experts_per_tok: found 9,"
            + " wanted at most 8",
        "{'model_type':'qwen3_moe',SIZES'mlp_only_layers':[32]} | mlp_only_layers: found 32",
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
