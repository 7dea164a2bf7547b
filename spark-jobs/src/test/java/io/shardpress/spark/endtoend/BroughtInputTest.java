package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Recipes, texts and configs as people have them, through the command line. */
class BroughtInputTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TEMPLATE =
      "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";

  @TempDir Path temporary;

  private Path model;
  private Path output;

  @BeforeEach
  void copySample() throws IOException {
    model = SampleFiles.copy(temporary.resolve("model"));
    for (String name :
        List.of("tokenizer.json", "tokenizer_config.json", "calibration.jsonl", "heldout.jsonl")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), model.resolve(name));
    }
    output = temporary.resolve("output");
  }

  private CommandRun compress(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of("compress", model.toString(), output.toString(), "--master=local[2]"));
    words.addAll(List.of("--samples=8", "--sequence-length=32"));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }

  private Path recipe(String yaml) throws IOException {
    return Files.writeString(temporary.resolve("recipe.yaml"), yaml);
  }

  /** The held-out texts as conversations. */
  private Path chats() throws IOException {
    StringBuilder rows = new StringBuilder();
    for (String line : Files.readAllLines(model.resolve("heldout.jsonl")).subList(0, 60)) {
      String text = JSON.readTree(line).get("text").asText();
      ObjectNode row = JSON.createObjectNode();
      var messages = row.putArray("messages");
      messages
          .addObject()
          .put("role", "user")
          .put("content", text.substring(0, Math.min(40, text.length())));
      messages.addObject().put("role", "assistant").put("content", text);
      rows.append(row).append('\n');
    }
    return Files.writeString(temporary.resolve("chat.jsonl"), rows);
  }

  @Test
  void chatsWithoutATemplateAreRefusedWithWhatToDo() throws IOException {
    Path chats = chats();
    for (String[] more : new String[][] {{}, {"--text-field=messages"}}) {
      List<String> words = new ArrayList<>(List.of("--algorithm=gptq", "--calibration=" + chats));
      words.addAll(List.of(more));
      CommandRun run = compress(words.toArray(String[]::new));
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.errors())
          .singleElement()
          .asString()
          .contains("chat.jsonl, line 1: found a chat", "no chat template", "chat_template.jinja");
    }
  }

  /** The same text as rows of text, as chats, and a half of each. */
  @Test
  void chatsGoThroughTheModelsTemplate() throws IOException {
    Path chats = chats();
    Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
    StringBuilder rows = new StringBuilder();
    for (String line : Files.readAllLines(chats)) {
      StringBuilder text = new StringBuilder();
      for (JsonNode one : JSON.readTree(line).get("messages")) {
        text.append('<').append(one.get("role").asText()).append('>');
        text.append(one.get("content").asText());
      }
      rows.append(JSON.createObjectNode().put("text", text.toString())).append('\n');
    }
    Path texts = Files.writeString(temporary.resolve("texts.jsonl"), rows);
    String chat = evaluated(chats.toString());
    assertThat(evaluated(texts.toString())).as("no special token is added").isEqualTo(chat);
    String both = evaluated(chats + "=0.5," + model.resolve("heldout.jsonl") + "=0.5");
    assertThat(both).isNotEqualTo(chat);
    assertThat(JSON.readTree(both).get("tokens")).isEqualTo(JSON.readTree(chat).get("tokens"));
  }

  private String evaluated(String text) {
    CommandRun run =
        CommandRun.of(
            "evaluate",
            model.toString(),
            model.toString(),
            "--text=" + text,
            "--samples=8",
            "--sequence-length=32",
            "--json",
            "--master=local[2]");
    assertThat(run.code()).as(run.err()).isZero();
    return run.out();
  }

  @Test
  void aCacheAloneLeavesWeightsAsTheyAre() throws IOException {
    Path recipe =
        recipe(
            "quant_stage: {quant_modifiers: {QuantizationModifier: {kv_cache_scheme: {num_bits: 8,"
                + " type: float, symmetric: true, strategy: tensor}}}}");
    CommandRun plan = CommandRun.of("plan", model.toString(), "--recipe=" + recipe);
    assertThat(plan.code()).as(plan.err()).isZero();
    assertThat(plan.out()).contains("weights stay as they are", "cache of keys and values: 8 bits");
    CommandRun run = compress("--recipe=" + recipe);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode config = JSON.readTree(output.resolve("config.json").toFile());
    JsonNode quantization = config.get("quantization_config");
    assertThat(quantization.get("format").asText()).isEqualTo("dense");
    assertThat(quantization.get("config_groups")).isEmpty();
    assertThat(quantization.at("/kv_cache_scheme/type").asText()).isEqualTo("float");
    assertThat(new Published(output).tensors().keySet())
        .contains("model.layers.0.self_attn.k_scale", "model.layers.5.self_attn.v_scale")
        .contains("model.layers.0.self_attn.k_proj.weight")
        .noneMatch(name -> name.contains("weight_"));
    CommandRun evaluated =
        CommandRun.of(
            "evaluate",
            model.toString(),
            output.toString(),
            "--text=" + model.resolve("heldout.jsonl"),
            "--samples=8",
            "--sequence-length=32",
            "--json",
            "--master=local[2]");
    assertThat(evaluated.code()).as(evaluated.err()).isZero();
    double kl = JSON.readTree(evaluated.out()).at("/kl/mean").asDouble();
    assertThat(kl).isBetween(1e-9, 0.05);
  }

  /** Pairs that are those of the block give the bytes that none give; fewer give others. */
  @Test
  void mappingsThatAreTheBlocksOwnChangeNothing() throws IOException {
    String own =
        "[[['re:.*q_proj', 're:.*k_proj', 're:.*v_proj'], 're:.*input_layernorm'],"
            + " [['re:.*gate_proj', 're:.*up_proj'], 're:.*post_attention_layernorm']]";
    String none = tree("null");
    assertThat(tree(own)).isEqualTo(none);
    assertThat(tree("[[['re:.*gate_proj', 're:.*up_proj'], 're:.*post_attention_layernorm']]"))
        .isNotEqualTo(none);
    assertThat(tree("[[['re:.*down_proj'], 're:.*up_proj']]")).isNotEqualTo(none);
    CommandRun run =
        compress(
            "--overwrite", "--recipe=" + smooth("[[['re:.*q_proj'], 're:.*input_layernorm']]"));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains(
            "model.layers.0.self_attn.k_proj and 1 more read what it makes, too",
            "input_layernorm");
    run = compress("--overwrite", "--recipe=" + smooth("[[['re:.*q_proj'], 're:.*nothing']]"));
    assertThat(run.errors()).singleElement().asString().contains("re:.*nothing means no norm");
  }

  private Path smooth(String mappings) throws IOException {
    return recipe(
        "SmoothQuantModifier: {smoothing_strength: 0.8, mappings: "
            + mappings
            + "}\nQuantizationModifier: {scheme: W8A8}\n");
  }

  private String tree(String mappings) throws IOException {
    CommandRun run = compress("--overwrite", "--recipe=" + smooth(mappings));
    assertThat(run.code()).as(run.err()).isZero();
    StringBuilder sums = new StringBuilder();
    new Published(output)
        .tensors()
        .forEach(
            (name, tensor) ->
                sums.append(name)
                    .append(' ')
                    .append(Published.sha256(tensor.bytes()))
                    .append('\n'));
    return sums.toString();
  }

  /** Every row has the step that reaches the greatest weight of all. */
  @Test
  void oneScaleForAWeight() throws IOException {
    Path recipe =
        recipe(
            "QuantizationModifier: {config_groups: {g: {targets: [Linear], weights: {num_bits: 8,"
                + " strategy: tensor}, input_activations: {num_bits: 8, strategy: token, dynamic:"
                + " true}}}}");
    CommandRun run = compress("--recipe=" + recipe);
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    Map<String, Tensor> original = new TreeMap<>();
    for (String shard : SampleFiles.SHARDS) {
      SampleFiles.read(model, shard).forEach(tensor -> original.put(tensor.name(), tensor));
    }
    for (String module :
        List.of("model.layers.0.self_attn.k_proj", "model.layers.5.mlp.down_proj")) {
      float[] w = original.get(module + ".weight").bf16();
      byte[] codes = published.tensors().get(module + ".weight").bytes();
      float[] scales = published.tensors().get(module + ".weight_scale").bf16();
      float most = 0;
      for (float one : w) {
        most = Math.max(most, Math.abs(one));
      }
      assertThat(scales[0]).isBetween(most / 128.5f, most / 126.5f);
      for (float scale : scales) {
        assertThat(scale).isEqualTo(scales[0]);
      }
      int largest = 0;
      for (int i = 0; i < w.length; i++) {
        boolean end = Math.abs(codes[i]) >= 127;
        assertThat(Math.abs(codes[i] * scales[0] - w[i]))
            .isLessThanOrEqualTo((end ? 1.01f : 0.501f) * scales[0]);
        largest = Math.max(largest, Math.abs(codes[i]));
      }
      assertThat(largest).isBetween(126, 128);
    }
    assertThat(
            published
                .config()
                .at("/quantization_config/config_groups/group_0/weights/strategy")
                .asText())
        .isEqualTo("channel");
  }

  /** What model cards tell people to add for long texts. */
  @Test
  void yarnIsCalibratedAndWritten() throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(model.resolve("config.json").toFile());
    config
        .putObject("rope_scaling")
        .put("rope_type", "yarn")
        .put("factor", 4.0)
        .put("original_max_position_embeddings", 64);
    JSON.writeValue(model.resolve("config.json").toFile(), config);
    CommandRun plan = CommandRun.of("plan", model.toString(), "--algorithm=gptq");
    assertThat(plan.code()).as(plan.err()).isZero();
    CommandRun run = compress("--algorithm=rtn", "--group-size=32", "--format=gguf");
    assertThat(run.code()).as(run.err()).isZero();
    Path file;
    try (var files = Files.list(output)) {
      file = files.filter(one -> one.toString().endsWith(".gguf")).findFirst().orElseThrow();
    }
    GgufReader gguf = new GgufReader(file);
    assertThat(gguf.metadata())
        .containsEntry("llama.rope.scaling.type", "yarn")
        .containsEntry("llama.rope.scaling.factor", 4.0f)
        .containsEntry("llama.rope.scaling.original_context_length", 64)
        .doesNotContainKeys("llama.rope.scaling.attn_factor", "llama.rope.scaling.yarn_beta_fast");
  }
}
