package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.Published.Weight;
import io.shardpress.spark.family.TinyFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * GGUF files of families with experts, fused linears and norms by 1 + w: tensor by tensor against
 * the safetensors of the same run, names and keys as llama.cpp reads them.
 */
class GgufFamiliesTest {
  private static final int HIDDEN = 96;
  private static final int F32 = 0;
  private static final int BF16 = 30;

  private static final Pattern EXPERT = Pattern.compile("(.*)\\.experts\\.(\\d+)\\.(\\w+)");

  /** What comes behind the block's number, without .weight. */
  private static final Map<String, String> IN_BLOCKS =
      Map.ofEntries(
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.qkv_proj", "attn_qkv"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.gate_up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"),
          Map.entry("block_sparse_moe.gate", "ffn_gate_inp"),
          Map.entry("mlp.gate", "ffn_gate_inp"),
          Map.entry("mlp.shared_expert_gate", "ffn_gate_inp_shexp"),
          Map.entry("mlp.shared_expert.gate_proj", "ffn_gate_shexp"),
          Map.entry("mlp.shared_expert.up_proj", "ffn_up_shexp"),
          Map.entry("mlp.shared_expert.down_proj", "ffn_down_shexp"),
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("pre_feedforward_layernorm", "ffn_norm"),
          Map.entry("post_feedforward_layernorm", "post_ffw_norm"));

  private static final Map<String, String> OF_EXPERTS =
      Map.of(
          "w1", "ffn_gate_exps",
          "w2", "ffn_down_exps",
          "w3", "ffn_up_exps",
          "gate_proj", "ffn_gate_exps",
          "down_proj", "ffn_down_exps",
          "up_proj", "ffn_up_exps");

  @TempDir Path temporary;

  /** What llama.cpp's code leaves of a config.json. */
  @SuppressWarnings("ImmutableEnumChecker")
  enum Case {
    MIXTRAL(TinyFamily.MIXTRAL, config -> config),
    QWEN2_MOE(TinyFamily.QWEN2_MOE, config -> config),
    QWEN3_MOE(TinyFamily.QWEN3_MOE, config -> config.replace("[1]", "[]")),
    PHI3(TinyFamily.PHI3, config -> config),
    GEMMA2(TinyFamily.GEMMA2, config -> config.replace("scalar\": 24", "scalar\": 16")),
    GEMMA3(TinyFamily.GEMMA3, config -> config.replace("pattern\": 3", "pattern\": 6"));

    private final TinyFamily family;
    private final UnaryOperator<String> change;

    Case(TinyFamily family, UnaryOperator<String> change) {
      this.family = family;
      this.change = change;
    }
  }

  @ParameterizedTest
  @EnumSource
  void holdsWhatWasLearned(Case one) throws IOException {
    Path model = one.family.write(temporary.resolve("tiny"), one.change);
    Path output = temporary.resolve("output");
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            output.toString(),
            "--master=local[2]",
            "--algorithm=rtn",
            "--group-size=32",
            "--format=compressed-tensors",
            "--format=gguf");
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    GgufReader gguf = new GgufReader(gguf(output));
    Set<String> found = new HashSet<>();
    for (JsonNode entry : published.manifest().get("tensors")) {
      String name = entry.get("name").asText();
      String inGguf = inGguf(one, name);
      found.add(inGguf);
      assertThat(entry.get("outputs").toString()).contains("\"" + inGguf + "\"");
      GgufReader.Tensor tensor = gguf.tensors().get(inGguf);
      assertThat(tensor).as(inGguf).isNotNull();
      float[] all = tensor.weights();
      float[] wanted = wanted(published, entry, one);
      assertThat(tensor.type()).as(inGguf).isEqualTo(type(entry));
      int at = 0;
      Matcher expert = EXPERT.matcher(module(name));
      if (expert.matches()) {
        assertThat(tensor.shape()).hasSize(3);
        assertThat((long) all.length).isEqualTo(tensor.shape().get(0) * wanted.length);
        at = Integer.parseInt(expert.group(2)) * wanted.length;
      } else {
        assertThat(tensor.shape()).hasSize(wanted.length == HIDDEN ? 1 : tensor.shape().size());
        assertThat(all).hasSize(wanted.length);
      }
      assertThat(Arrays.copyOfRange(all, at, at + wanted.length)).as(name).isEqualTo(wanted);
    }
    Set<String> others = new HashSet<>(gguf.tensors().keySet());
    others.removeAll(found);
    if (one == Case.PHI3) {
      assertThat(others)
          .containsExactlyInAnyOrder("rope_factors_long.weight", "rope_factors_short.weight");
      assertThat(gguf.tensors().get("rope_factors_long.weight").weights())
          .containsExactly(1, 2, 4, 8, 16, 32);
      assertThat(gguf.tensors().get("rope_factors_short.weight").weights())
          .containsExactly(1, 1.1f, 1.3f, 1.5f, 1.7f, 2);
    } else {
      assertThat(others).isEmpty();
    }
    checkKeys(one, gguf.metadata());
  }

  private static void checkKeys(Case one, Map<String, Object> keys) {
    switch (one) {
      case MIXTRAL ->
          assertThat(keys)
              .containsEntry("general.architecture", "llama")
              .containsEntry("llama.feed_forward_length", 160)
              .containsEntry("llama.expert_count", 4)
              .containsEntry("llama.expert_used_count", 2);
      case QWEN2_MOE ->
          assertThat(keys)
              .containsEntry("general.architecture", "qwen2moe")
              .containsEntry("qwen2moe.expert_count", 5)
              .containsEntry("qwen2moe.expert_used_count", 2)
              .containsEntry("qwen2moe.expert_feed_forward_length", 64)
              .containsEntry("qwen2moe.expert_shared_feed_forward_length", 128);
      case QWEN3_MOE ->
          assertThat(keys)
              .containsEntry("general.architecture", "qwen3moe")
              .containsEntry("qwen3moe.attention.key_length", 32)
              .containsEntry("qwen3moe.attention.value_length", 32)
              .containsEntry("qwen3moe.rope.dimension_count", 32)
              .containsEntry("qwen3moe.expert_count", 6)
              .containsEntry("qwen3moe.expert_used_count", 3)
              .containsEntry("qwen3moe.expert_feed_forward_length", 64)
              .doesNotContainKey("qwen3moe.expert_shared_feed_forward_length");
      case PHI3 -> {
        assertThat(keys)
            .containsEntry("general.architecture", "phi3")
            .containsEntry("phi3.feed_forward_length", 160)
            .containsEntry("phi3.rope.dimension_count", 12)
            .containsEntry("phi3.rope.scaling.original_context_length", 64)
            .containsEntry("phi3.attention.sliding_window", 262144);
        // 512 positions of 64 originally.
        assertThat((double) (float) keys.get("phi3.rope.scaling.attn_factor"))
            .isCloseTo(Math.sqrt(1 + Math.log(8) / Math.log(64)), within(1e-6));
      }
      case GEMMA2 ->
          assertThat(keys)
              .containsEntry("general.architecture", "gemma2")
              .containsEntry("gemma2.attn_logit_softcapping", 5f)
              .containsEntry("gemma2.final_logit_softcapping", 6f)
              .containsEntry("gemma2.attention.sliding_window", 9);
      case GEMMA3 ->
          assertThat(keys)
              .containsEntry("general.architecture", "gemma3")
              .containsEntry("gemma3.attention.sliding_window", 7)
              .containsEntry("gemma3.rope.freq_base", 1_000_000f)
              .containsEntry("gemma3.rope.scaling.type", "linear")
              .containsEntry("gemma3.rope.scaling.factor", 8f)
              .doesNotContainKey("gemma3.attn_logit_softcapping");
    }
  }

  /** A block's experts share a line, which counts the rounding of all of them. */
  @Test
  void minimumsOfExpertsAreToldTogether() throws IOException {
    Path model = TinyFamily.MIXTRAL.write(temporary.resolve("tiny"));
    Path output = temporary.resolve("output");
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            output.toString(),
            "--master=local[2]",
            "--algorithm=rtn",
            "--scheme=W4A16_ASYM",
            "--group-size=32",
            "--runtime=any",
            "--format=compressed-tensors",
            "--format=gguf");
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    GgufReader.Tensor stack =
        new GgufReader(gguf(output)).tensors().get("blk.1.ffn_up_exps.weight");
    assertThat(stack.type()).isEqualTo(3);
    assertThat(stack.shape()).containsExactly(4L, 160L, 96L);
    float[] found = stack.weights();
    double largest = 0;
    double squares = 0;
    for (int expert = 0; expert < 4; expert++) {
      Weight[] learned =
          published.dequantize(
              "model.layers.1.block_sparse_moe.experts." + expert + ".w3", 4, 160, 96);
      for (int i = 0; i < learned.length; i++) {
        double error = (found[expert * learned.length + i] - learned[i].value());
        error = Math.abs(error) / learned[i].step();
        largest = Math.max(largest, error);
        squares += error * error;
      }
    }
    JsonNode line = null;
    for (String text : Files.readAllLines(output.resolve("report/gguf.jsonl"))) {
      JsonNode node = new JsonMapper().readTree(text);
      line = node.get("tensor").asText().equals("blk.1.ffn_up_exps.weight") ? node : line;
    }
    assertThat(line).isNotNull();
    assertThat(line.get("rounding_max").asDouble()).isCloseTo(largest, within(1e-5));
    assertThat(line.get("rounding_rms").asDouble())
        .isCloseTo(Math.sqrt(squares / found.length), within(1e-5));
    assertThat(largest).isGreaterThan(0.0005);
  }

  /** What llama.cpp would load and compute otherwise, or cannot hold. */
  @ParameterizedTest
  @CsvSource({
    "QWEN3_MOE, '', '', --samples=8, block 1 is dense",
    "QWEN3_MOE, [1], [], --samples=8, ''",
    "QWEN3_MOE, 'prob\": true', 'prob\": false', --samples=8, block 1 is dense",
    "QWEN2_MOE, 'prob\": false', 'prob\": true', --samples=8, norm_topk_prob is true",
    "QWEN2_MOE, 'embeddings\": false', 'embeddings\": true', --samples=8, lm_head is the embedding",
    "PHI3_LONG, '\"su\"', '\"linear\", \"factor\": 2', --samples=8, rope type is linear",
    "PHI3_LONG, '\"hidden_size\": 96', '\"hidden_size\": 96, \"head_dim\": 16', --samples=8, ''",
    "GEMMA2, '', '', --samples=8, query_pre_attn_scalar is 24.0",
    "GEMMA2, 'capping\": 5.0', 'capping\": null', --samples=8, query_pre_attn_scalar",
    "GEMMA3, '', '', --samples=8, layer 2 does not slide|sixth",
    "GEMMA3, 'pattern\": 3', 'pattern\": 6', --samples=8, ''",
    "MIXTRAL, '', '', --ignore=re:.*0.*experts.2.w1, experts.0.w1.weight is Q4_0|experts.2.w1",
    "MIXTRAL, '', '', --gguf-type=Q8_0, ''"
  })
  void whatLlamaCppWouldComputeOtherwiseIsRefused(
      TinyFamily family, String from, String to, String option, String told) throws IOException {
    Path model =
        family.write(
            temporary.resolve("tiny"), json -> from.isEmpty() ? json : json.replace(from, to));
    CommandRun run =
        CommandRun.of(
            "plan",
            model.toString(),
            "--algorithm=rtn",
            "--group-size=32",
            "--format=gguf",
            option);
    if (told.isEmpty()) {
      assertThat(run.code()).as(run.err()).isZero();
      return;
    }
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("GGUF")
        .contains(told.split("\\|"));
  }

  private static Path gguf(Path output) throws IOException {
    try (Stream<Path> files = Files.list(output)) {
      return files.filter(f -> f.toString().endsWith(".gguf")).findFirst().orElseThrow();
    }
  }

  private static String module(String name) {
    return name.replaceFirst("\\.weight$", "");
  }

  private static String inGguf(Case one, String name) {
    if (!name.contains(".layers.")) {
      return Map.of(
              "model.embed_tokens.weight", "token_embd.weight",
              "model.norm.weight", "output_norm.weight",
              "lm_head.weight", "output.weight")
          .get(name);
    }
    String[] parts = name.split("\\.", 4);
    String block = "blk." + parts[2] + ".";
    if (parts[3].endsWith(".bias")) {
      return block + IN_BLOCKS.get(parts[3].replace(".bias", "")) + ".bias";
    }
    String rest = module(parts[3]);
    Matcher expert = EXPERT.matcher(rest);
    if (expert.matches()) {
      return block + OF_EXPERTS.get(expert.group(3)) + ".weight";
    }
    if (rest.equals("post_attention_layernorm")) {
      boolean four = one == Case.GEMMA2 || one == Case.GEMMA3;
      return block + (four ? "post_attention_norm" : "ffn_norm") + ".weight";
    }
    return block + IN_BLOCKS.get(rest) + ".weight";
  }

  private static int type(JsonNode entry) {
    if (entry.get("action").asText().equals("quantize")) {
      return 2;
    }
    boolean routes =
        entry.get("name").asText().matches(".*(moe|mlp)\\.gate\\.weight|.*_gate\\.weight");
    return entry.get("shape").size() == 1 || routes ? F32 : BF16;
  }

  /** The numbers that the safetensors stand for, as llama.cpp wants them. */
  private static float[] wanted(Published published, JsonNode entry, Case one) {
    String name = entry.get("name").asText();
    if (!entry.get("action").asText().equals("quantize")) {
      float[] values = published.tensors().get(name).bf16();
      if (name.endsWith("norm.weight") && (one == Case.GEMMA2 || one == Case.GEMMA3)) {
        for (int i = 0; i < values.length; i++) {
          values[i] += 1;
        }
      }
      boolean turned = one == Case.MIXTRAL && name.matches(".*\\.[qk]_proj\\..*");
      assertThat(turned).as("all of q and k are learned").isFalse();
      return values;
    }
    int out = entry.get("shape").get(0).asInt();
    int in = entry.get("shape").get(1).asInt();
    Weight[] learned = published.dequantize(module(name), 4, out, in);
    float[] values = new float[learned.length];
    boolean turned = one == Case.MIXTRAL && name.matches(".*\\.[qk]_proj\\..*");
    for (int row = 0; row < out; row++) {
      // Heads of 16: row h·16 + 2j + i is Hugging Face's h·16 + i·8 + j.
      int from = turned ? row / 16 * 16 + row % 2 * 8 + row % 16 / 2 : row;
      for (int column = 0; column < in; column++) {
        values[row * in + column] = learned[from * in + column].value();
      }
    }
    return values;
  }
}
