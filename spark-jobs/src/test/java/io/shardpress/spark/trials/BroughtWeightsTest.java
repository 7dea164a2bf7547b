package io.shardpress.spark.trials;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights as people bring them are read as they were meant, with a word, or refused. */
class BroughtWeightsTest {
  private static final String[] RTN = {"--scheme=W4A16", "--algorithm=rtn", "--master=local[2]"};

  @TempDir Path temporary;

  private Path output;
  private BroughtModel model;

  @BeforeEach
  void prepare() throws IOException {
    output = temporary.resolve("output");
    model = BroughtModel.in(temporary.resolve("m"));
  }

  private static CommandRun run(String[] options, String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of(options));
    return CommandRun.of(all.toArray(String[]::new));
  }

  private CommandRun compress(Path folder, String... options) {
    List<String> all = new ArrayList<>(List.of(RTN));
    all.addAll(List.of(options));
    return run(all.toArray(String[]::new), "compress", folder.toString(), output.toString());
  }

  private CommandRun plan(Path folder, String... options) {
    return run(options, "plan", folder.toString(), "--scheme=W4A16", "--algorithm=rtn");
  }

  /** The tensors of the output by name, read by the format's definition. */
  private Map<String, SampleFiles.Tensor> published() {
    Map<String, SampleFiles.Tensor> tensors = new TreeMap<>();
    SampleFiles.read(output, "model.safetensors").forEach(one -> tensors.put(one.name(), one));
    return tensors;
  }

  private JsonNode quantization() throws IOException {
    return new JsonMapper()
        .readTree(Files.readString(output.resolve("config.json")))
        .get("quantization_config");
  }

  private static List<String> warnings(CommandRun run) {
    return run.err().lines().filter(line -> line.startsWith("warning: ")).toList();
  }

  @Test
  void anIndexDecidesAgainstAFileThatWasLeft() throws IOException {
    model.shards(true);
    CommandRun run = compress(model.singleOfZeros());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(warnings(run))
        .singleElement()
        .asString()
        .contains("not read: model.safetensors", "index", "Transformers");
    byte[] embedding = published().get(BroughtModel.EMBEDDING).bytes();
    assertThat(embedding).isEqualTo(SampleFiles.tensors().get(BroughtModel.EMBEDDING).bytes());
  }

  @Test
  void anIndexOfShardsThatAreGoneIsToldOfWithTheFileThatIsThere() throws IOException {
    Path folder = model.shards(true);
    Files.delete(folder.resolve("model-00001-of-00002.safetensors"));
    Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
    model.single();
    CommandRun run = plan(folder);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("model-00001-of-00002.safetensors", "1 more of its 2", "remove the index");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "_orig_mod.",
        "module.",
        "base_model.model.",
        "module._orig_mod.",
        "language_model.",
        "model.language_model.",
        "_orig_mod.base_model.model.",
        "llm."
      })
  void prefixesAreLeftOutAndSaid(String prefix) throws IOException {
    CommandRun plain = compress(model.untied().single());
    assertThat(plain.code()).as(plain.err()).isZero();
    assertThat(warnings(plain)).isEmpty();
    Map<String, SampleFiles.Tensor> wanted = published();
    assertThat(wanted).containsKeys("lm_head.weight", "model.layers.0.mlp.up_proj.weight_packed");
    output = temporary.resolve("other");
    model = BroughtModel.in(temporary.resolve("n"));
    CommandRun run = compress(model.untied().named(name -> prefix + name).single());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(warnings(run)).singleElement().asString().contains("names", "as runtimes ask");
    assertSameTensors(wanted);
    assertThat(quantization().get("ignore")).hasToString("[\"lm_head\"]");
  }

  private void assertSameTensors(Map<String, SampleFiles.Tensor> wanted) {
    Map<String, SampleFiles.Tensor> found = published();
    assertThat(found.keySet()).isEqualTo(wanted.keySet());
    wanted.forEach((name, one) -> assertThat(found.get(name).bytes()).isEqualTo(one.bytes()));
  }

  /** As save_pretrained of LlamaModel and of a block that was compiled by itself leave them. */
  @ParameterizedTest
  @CsvSource({"^model\\.,''", "^model\\.layers\\.(\\d+)\\.,model.layers.$1._orig_mod."})
  void decodersAloneAndCompiledBlocksToo(String pattern, String replacement) throws IOException {
    CommandRun plain = compress(model.single());
    assertThat(plain.code()).as(plain.err()).isZero();
    Map<String, SampleFiles.Tensor> wanted = published();
    output = temporary.resolve("other");
    model = BroughtModel.in(temporary.resolve("n"));
    UnaryOperator<String> names = name -> name.replaceFirst(pattern, replacement);
    CommandRun run = compress(model.named(names).single());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(warnings(run)).hasSize(1);
    assertSameTensors(wanted);
  }

  /** LLaVA's own layout: what a multimodal config tells of stays, and its head is known as one. */
  @Test
  void namesOfMultimodalModelsStayAndTheirHeadIsLeftAlone() throws IOException {
    Path folder = model.untied().named(name -> "language_model." + name).single();
    Path config = folder.resolve("config.json");
    Files.writeString(
        config,
        "{\"model_type\": \"llava\", \"tie_word_embeddings\": false, \"text_config\": "
            + Files.readString(config)
            + "}");
    CommandRun run = compress(folder);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(warnings(run)).isEmpty();
    assertThat(published())
        .containsKeys(
            "language_model.lm_head.weight",
            "language_model.model.layers.1.mlp.down_proj.weight_packed")
        .doesNotContainKey("language_model.lm_head.weight_packed");
    assertThat(quantization().get("ignore").toString()).contains("language_model.lm_head");
  }

  @Test
  void twoTensorsOfOneNameAreRefused() throws IOException {
    Path folder = model.single();
    Files.copy(folder.resolve("model.safetensors"), folder.resolve("a.safetensors"));
    Files.delete(folder.resolve("model.safetensors"));
    BroughtModel other = BroughtModel.in(temporary.resolve("n"));
    Files.copy(
        other.named(name -> "_orig_mod." + name).single().resolve("model.safetensors"),
        folder.resolve("b.safetensors"));
    CommandRun run = plan(folder);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("_orig_mod.model.", "would both be read as model.");
  }

  @Test
  void anIndexMayListAHeadThatIsTied() throws IOException {
    Path folder = model.shards(true);
    SampleFiles.replace(
        folder.resolve(BroughtModel.INDEX),
        "\"weight_map\": {",
        "\"weight_map\": {\"lm_head.weight\": \"model-00002-of-00002.safetensors\",");
    CommandRun run = plan(folder);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(warnings(run)).singleElement().asString().contains("lm_head.weight", "no shard");
    SampleFiles.replace(
        folder.resolve("config.json"),
        "\"tie_word_embeddings\": true",
        "\"tie_word_embeddings\": false");
    CommandRun untied = plan(folder);
    assertThat(untied.code()).isEqualTo(1);
    assertThat(untied.errors())
        .singleElement()
        .asString()
        .contains("lm_head.weight: found it in no shard", "fetch it again");
  }

  @Test
  void aTensorThatIsStoredUnderAnotherNameIsFollowed() throws IOException {
    CommandRun plain = compress(model.single());
    assertThat(plain.code()).as(plain.err()).isZero();
    Map<String, SampleFiles.Tensor> wanted = published();
    output = temporary.resolve("other");
    model = BroughtModel.in(temporary.resolve("n"));
    Path folder =
        model
            .named(name -> name.equals(BroughtModel.EMBEDDING) ? BroughtModel.HEAD : name)
            .single("\"format\":\"pt\",\"model.embed_tokens.weight\":\"lm_head.weight\"");
    CommandRun run = compress(folder);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(warnings(run))
        .singleElement()
        .asString()
        .contains("model.embed_tokens.weight: stored as lm_head.weight", "__metadata__");
    assertSameTensors(wanted);
  }

  @Test
  void aShardThatIsMissingIsNamed() throws IOException {
    Path folder = model.shards(false);
    Files.delete(folder.resolve("model-00002-of-00002.safetensors"));
    CommandRun run = plan(folder);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("model-00002-of-00002.safetensors is missing", "1 of the 2 shards");
  }

  @Test
  void aFileInPlaceOfItsFolderIsToldOf() throws IOException {
    CommandRun run = plan(model.single().resolve("model.safetensors"));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("is a file", "the one it lies in");
  }

  @ParameterizedTest
  @CsvSource({
    "'version https://git-lfs.github.com/spec/v1\noid sha256:4\nsize 7\n', git lfs pull",
    "'<!DOCTYPE html><html>Log in</html>', HTML",
    "'GGUF    ', GGUF file"
  })
  void filesThatAreSomethingElseAreKnown(String content, String told) throws IOException {
    Path folder = model.single();
    for (String name : List.of("model.safetensors", "config.json")) {
      byte[] before = Files.readAllBytes(folder.resolve(name));
      Files.write(folder.resolve(name), content.getBytes(StandardCharsets.UTF_8));
      CommandRun run = plan(folder);
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.errors()).singleElement().asString().contains(name, told);
      Files.write(folder.resolve(name), before);
    }
  }

  @Test
  void adaptersAreToldOf() throws IOException {
    Path folder =
        model
            .named(name -> "base_model.model." + name.replace("q_proj.", "q_proj.base_layer."))
            .single();
    CommandRun run = plan(folder);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("adapter", "merge_and_unload");
  }

  @Test
  void namesThatMatchNothingAreWarnedOf() throws IOException {
    Path recipe =
        Files.writeString(
            temporary.resolve("recipe.yaml"),
            """
            keep_stage:
              keep_modifiers:
                GPTQModifier: {scheme: W4A16, targets: [Linear, 're:.*mlp\\.gate_prj'],
                  ignore: [lm_head, model.layers.0.mlp.down_porj, 're:.*layers\\.99\\..*']}
            """);
    CommandRun run = CommandRun.of("plan", model.single().toString(), "--recipe=" + recipe);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(warnings(run))
        .satisfiesExactly(
            one ->
                assertThat(one)
                    .contains("ignore: model.layers.0.mlp.down_porj")
                    .endsWith("the nearest name is model.layers.0.mlp.down_proj"),
            one -> assertThat(one).contains("ignore: re:.*layers\\.99\\..*"),
            one -> assertThat(one).contains("targets: re:.*mlp\\.gate_prj"));
    CommandRun options = plan(model.single(), "--ignore=lm_head", "--ignore=re:.*down_proj");
    assertThat(options.code()).isZero();
    assertThat(warnings(options)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"rtn,gguf", "rtn,both", "gptq,gguf"})
  void weightsBeyondTheScalesOfAFormatAreRefused(String algorithm, String formats)
      throws IOException {
    // Eight scales of f16 reach 5.2e5.
    byte[] weight = model.bytes("model.layers.1.mlp.up_proj.weight");
    int bits = Float.floatToRawIntBits(2e6f) >>> 16;
    ByteBuffer.wrap(weight).order(ByteOrder.LITTLE_ENDIAN).putShort(0, (short) bits);
    Path folder = model.single();
    String[] options = {
      "--algorithm=" + algorithm,
      "--scheme=W4A16",
      "--group-size=32",
      "--master=local[2]",
      "--samples=8",
      "--sequence-length=16",
      "--format=gguf",
      formats.equals("both") ? "--format=compressed-tensors" : "--format=gguf"
    };
    CommandRun run = run(options, "compress", folder.toString(), output.toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("model.layers.1.mlp.up_proj.weight", "4.0", "times", "65", "--format gguf");
    assertThat(output).doesNotExist();
    if (algorithm.equals("rtn")) {
      CommandRun alone = compress(folder, "--group-size=32");
      assertThat(alone.code()).as(alone.err()).isZero();
    }
  }

  @Test
  void placesThatAreNoFolders() {
    CommandRun web = plan(Path.of("x"));
    assertThat(web.code()).isEqualTo(1);
    for (String uri : List.of("https://huggingface.co/org/model", "hf://org/model")) {
      CommandRun run = CommandRun.of("plan", uri, "--algorithm=rtn");
      assertThat(run.code()).isEqualTo(2);
      assertThat(run.errors()).singleElement().asString().contains(uri, "hf download");
    }
    CommandRun hub = CommandRun.of("plan", "some-org/Some-Model-1B", "--algorithm=rtn");
    assertThat(hub.code()).isEqualTo(1);
    assertThat(hub.errors())
        .singleElement()
        .asString()
        .contains("no such folder", "hf download some-org/Some-Model-1B");
    CommandRun home =
        CommandRun.of("plan", SampleFiles.FOLDER.toString(), "--recipe=~/recipe.yaml");
    assertThat(home.errors()).singleElement().asString().contains("$HOME");
  }
}
