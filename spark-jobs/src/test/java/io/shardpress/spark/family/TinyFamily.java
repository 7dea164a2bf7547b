package io.shardpress.spark.family;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * A small model of each family with random weights, the sample's tokenizer and texts. Names and
 * shapes are those of the families' published checkpoints.
 */
@SuppressWarnings("EnumOrdinal")
public enum TinyFamily {
  /** As Mistral-7B-v0.1: all layers slide. */
  MISTRAL(
      """
      "architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 11,
      "num_hidden_layers": 2, "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "hidden_act": "silu",
      "torch_dtype": "bfloat16", "tie_word_embeddings": false\
      """),
  /** As Phi-4-mini: a part of each head turned; texts short enough for its first factors. */
  PHI3(
      """
      "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "sliding_window": 262144,
      "num_hidden_layers": 2, "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "hidden_act": "silu",
      "dtype": "bfloat16", "tie_word_embeddings": true, "partial_rotary_factor": 0.75,
      "max_position_embeddings": 512, "original_max_position_embeddings": 64,
      "rope_scaling": {"type": "longrope", "short_factor": [1, 1.1, 1.3, 1.5, 1.7, 2.0],
      "long_factor": [1, 2, 4, 8, 16, 32]}\
      """),
  /** As Phi-3-mini-128k, in texts longer than those of its first training. */
  PHI3_LONG(
      """
      "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "sliding_window": 13,
      "num_hidden_layers": 2, "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "hidden_act": "silu",
      "torch_dtype": "bfloat16", "tie_word_embeddings": false,
      "max_position_embeddings": 512, "original_max_position_embeddings": 16,
      "rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1, 1, 1, 1, 1],
      "long_factor": [1.05, 1.2, 1.5, 2, 3, 5, 9, 17]}\
      """),
  /** As Gemma-2: caps, layers that slide in turn. */
  GEMMA2(
      """
      "architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2", "sliding_window": 9,
      "num_hidden_layers": 3, "rope_theta": 10000.0, "rms_norm_eps": 1e-06, "head_dim": 16,
      "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
      "attn_logit_softcapping": 5.0, "final_logit_softcapping": 6.0, "query_pre_attn_scalar": 24,
      "torch_dtype": "bfloat16"\
      """),
  /** As Gemma-3-1b: norms of heads, two bases of frequencies, one of them stretched. */
  GEMMA3(
      """
      "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "sliding_window": 7,
      "num_hidden_layers": 4, "rms_norm_eps": 1e-06, "head_dim": 16,
      "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 16,
      "attn_logit_softcapping": null, "final_logit_softcapping": null,
      "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "sliding_window_pattern": 3,
      "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "torch_dtype": "bfloat16"\
      """),
  /** As Mixtral-8x7B. */
  MIXTRAL(
      """
      "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "sliding_window": null,
      "num_hidden_layers": 2, "rope_theta": 1000000.0, "rms_norm_eps": 1e-05, "hidden_act": "silu",
      "num_local_experts": 4, "num_experts_per_tok": 2, "torch_dtype": "bfloat16",
      "tie_word_embeddings": false\
      """),
  /** As Qwen1.5-MoE-A2.7B: biases, an expert for all tokens, weights that do not add up to 1. */
  QWEN2_MOE(
      """
      "architectures": ["Qwen2MoeForCausalLM"], "model_type": "qwen2_moe",
      "use_sliding_window": false, "sliding_window": 32768, "max_window_layers": 21,
      "num_hidden_layers": 2, "rope_theta": 1000000.0, "rms_norm_eps": 1e-06, "hidden_act": "silu",
      "num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 64,
      "shared_expert_intermediate_size": 128, "norm_topk_prob": false, "decoder_sparse_step": 1,
      "torch_dtype": "bfloat16", "tie_word_embeddings": false\
      """),
  /** As Qwen3-30B-A3B, with a dense block among the others. */
  QWEN3_MOE(
      """
      "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "head_dim": 32,
      "use_sliding_window": false, "sliding_window": null, "max_window_layers": 3,
      "num_hidden_layers": 3, "rope_theta": 1000000.0, "rms_norm_eps": 1e-06, "hidden_act": "silu",
      "num_experts": 6, "num_experts_per_tok": 3, "moe_intermediate_size": 64,
      "norm_topk_prob": true, "decoder_sparse_step": 1, "mlp_only_layers": [1],
      "attention_bias": false, "dtype": "bfloat16", "tie_word_embeddings": true\
      """),
  /** As what model cards say for long texts, in texts longer than those of the first training. */
  LLAMA_YARN(
      """
      "architectures": ["LlamaForCausalLM"], "model_type": "llama",
      "num_hidden_layers": 2, "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "hidden_act": "silu",
      "torch_dtype": "bfloat16", "tie_word_embeddings": false, "max_position_embeddings": 512,
      "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "beta_fast": 3,
      "original_max_position_embeddings": 16}\
      """),
  /** The base of its frequencies grows with the text. */
  LLAMA_DYNAMIC(
      """
      "architectures": ["LlamaForCausalLM"], "model_type": "llama",
      "num_hidden_layers": 2, "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "hidden_act": "silu",
      "torch_dtype": "bfloat16", "tie_word_embeddings": false, "max_position_embeddings": 16,
      "rope_scaling": {"type": "dynamic", "factor": 3.0}\
      """);

  /** Width of the stream; a multiple of the groups that tests take. */
  static final int HIDDEN = 96;

  static final int INTER = 160;
  static final int HEADS = 6;
  static final int KV_HEADS = 2;
  static final int VOCABULARY = 768;

  private final String keys;

  TinyFamily(String keys) {
    this.keys = keys;
  }

  /** config.json. */
  public String config() {
    String positions = keys.contains("max_position") ? "" : "\"max_position_embeddings\": 512, ";
    return String.format(
        Locale.ROOT,
        """
        {"hidden_size": %d, "intermediate_size": %d, "num_attention_heads": %d,
        "num_key_value_heads": %d, "vocab_size": %d, %s%s}
        """,
        HIDDEN,
        INTER,
        HEADS,
        KV_HEADS,
        VOCABULARY,
        positions,
        keys.strip());
  }

  /** The values of all tensors, in bf16's numbers. */
  public Map<String, Tensor> tensors() throws IOException {
    return tensors(config());
  }

  private Map<String, Tensor> tensors(String config) throws IOException {
    Random random = new Random(ordinal());
    Map<String, Tensor> tensors = new TreeMap<>();
    FamilyTensors.of(new JsonMapper().readTree(config))
        .forEach((name, shape) -> tensors.put(name, random(name, shape, random)));
    return tensors;
  }

  /** Writes the model with tokenizer and texts. */
  public Path write(Path folder) throws IOException {
    return write(folder, UnaryOperator.identity());
  }

  /** The same with another config.json, and the tensors that it wants. */
  public Path write(Path folder, UnaryOperator<String> change) throws IOException {
    String config = change.apply(config());
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), config);
    for (String name : List.of("tokenizer.json", "calibration.jsonl", "heldout.jsonl")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), folder.resolve(name));
    }
    SafetensorsWriter.write(
        folder.resolve("model.safetensors"), new ArrayList<>(tensors(config).values()));
    return folder;
  }

  /** The same model read by the test's own forward pass. */
  public ScalarModel scalar() throws IOException {
    JsonNode config = new JsonMapper().readTree(config());
    Map<String, double[]> values = new TreeMap<>();
    tensors()
        .forEach(
            (name, tensor) -> {
              float[] narrow = tensor.bf16();
              double[] wide = new double[narrow.length];
              for (int i = 0; i < wide.length; i++) {
                wide[i] = narrow[i];
              }
              values.put(name, wide);
            });
    return new ScalarModel(config, values);
  }

  private Tensor random(String name, List<Long> shape, Random random) {
    int n = (int) shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    boolean norm = shape.size() == 1 && name.endsWith("norm.weight");
    boolean gemma = name().startsWith("GEMMA");
    double middle = norm && !gemma ? 1 : 0;
    if (gemma && name.matches(".*layers.*\\.post_.*")) {
      // So that blocks count beside embeddings that a tied head finds again.
      middle = 3;
    }
    double deviation = 0.3;
    if (shape.size() == 2) {
      boolean table = name.contains("embed") || name.contains("lm_head");
      deviation = table ? 0.15 : 1.5 / Math.sqrt(shape.get(1));
    }
    ByteBuffer bytes = ByteBuffer.allocate(2 * n).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < n; i++) {
      float value = (float) (middle + deviation * random.nextGaussian());
      bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
    return new Tensor(name, "BF16", shape, "", 0, bytes.array());
  }
}
