package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every bad input ends in one line that says what is wrong and where, and publishes nothing. */
class BadInputTest {
  private static final String FIRST = SampleFiles.SHARDS.get(0);
  private static final String SECOND = SampleFiles.SHARDS.get(1);
  private static final String INDEX = "model.safetensors.index.json";
  private static final String RTN = "--algorithm=rtn";

  @TempDir Path temporary;

  private Path model;
  private Path output;

  @BeforeEach
  void copySample() throws IOException {
    model = SampleFiles.copy(temporary.resolve("model"));
    for (String name : List.of("tokenizer.json", "calibration.jsonl")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), model.resolve(name));
    }
    output = temporary.resolve("output");
  }

  private CommandRun compress(String... more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString(), "--master=local[2]"));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }

  private void refused(int code, CommandRun run, String... parts) {
    assertThat(run.code()).as(run.err()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
    assertThat(
            run.err()
                .lines()
                .filter(line -> !line.startsWith("warning: ") && !line.startsWith("computing ")))
        .singleElement()
        .asString()
        .startsWith("error: ")
        .contains(parts)
        .doesNotContain("Exception", "Scala");
    assertThat(output).doesNotExist();
  }

  @Test
  void truncatedShard() throws IOException {
    SampleFiles.truncate(model.resolve(SECOND), 3_545_535);
    refused(1, compress(RTN), SECOND, "truncated", "3542527", "3542528");
  }

  @Test
  void headerPastTheEnd() throws IOException {
    SampleFiles.poke(model.resolve(FIRST), 0, new byte[] {0, 0, 0, 5});
    refused(1, compress(RTN), FIRST, "83886080", "3938256");
  }

  @Test
  void headerThatIsNoJson() throws IOException {
    SampleFiles.poke(model.resolve(FIRST), 20, new byte[] {'\n', '"', '}'});
    refused(1, compress(RTN), FIRST);
  }

  private void writeModel(String header, int bytes) throws IOException {
    for (String name : List.of(FIRST, SECOND, INDEX)) {
      Files.delete(model.resolve(name));
    }
    SafetensorsWriter.write(model.resolve("model.safetensors"), header, new byte[bytes]);
  }

  @Test
  void overlappingTensors() throws IOException {
    String a = SafetensorsWriter.entry("a.weight", "BF16", List.of(2L, 4L), 0, 16);
    String b = SafetensorsWriter.entry("b.weight", "BF16", List.of(2L, 4L), 12, 28);
    writeModel("{" + a + "," + b + "}", 28);
    refused(1, compress(RTN), "model.safetensors", "b.weight", "12", "16");
  }

  @Test
  void duplicateNames() throws IOException {
    String a = SafetensorsWriter.entry("a.weight", "BF16", List.of(2L, 4L), 0, 16);
    String b = SafetensorsWriter.entry("a.weight", "BF16", List.of(2L, 4L), 16, 32);
    writeModel("{" + a + "," + b + "}", 32);
    refused(1, compress(RTN), "model.safetensors", "a.weight");
  }

  @Test
  void sameTensorInTwoShards() throws IOException {
    Files.delete(model.resolve(INDEX));
    Files.copy(model.resolve(FIRST), model.resolve("z.safetensors"));
    refused(1, compress(RTN), "z.safetensors", FIRST, "tensor model.");
  }

  @Test
  void indexNamesAMissingFile() throws IOException {
    Files.delete(model.resolve(SECOND));
    refused(1, compress(RTN), INDEX, SECOND, "model.layers.3.input_layernorm.weight");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x", "/etc/passwd", "a/../../x"})
  void indexNamesAFileOutside(String name) throws IOException {
    SampleFiles.replace(model.resolve(INDEX), SECOND, name);
    refused(1, compress(RTN), INDEX, name);
  }

  @Test
  void shapesAndConfigDisagree() throws IOException {
    SampleFiles.replace(
        model.resolve("config.json"), "\"intermediate_size\": 512", "\"intermediate_size\": 768");
    refused(
        1,
        compress(RTN),
        "model.layers.0.mlp.gate_proj.weight",
        "[512, 256]",
        "[768, 256]",
        "intermediate_size");
  }

  @Test
  void modelThatIsNotThere() throws IOException {
    Files.delete(model.resolve("config.json"));
    refused(1, compress(RTN), "config.json");
    model = temporary.resolve("absent");
    refused(1, compress(RTN), "absent", "no such folder");
  }

  @Test
  void modelThatIsQuantizedAlready() throws IOException {
    SampleFiles.replace(
        model.resolve("config.json"), "{\n", "{\n\"quantization_config\": {\"bits\": 4},\n");
    refused(1, compress(RTN), "config.json", "quantization_config");
  }

  @ParameterizedTest
  @CsvSource({
    "'LRQModifier: {scheme: W4A16, itertions: 5}', itertions, iterations",
    "'LRQModifier: {scheme: W4A61}', W4A61, W4A16",
    "'LRQModifer: {scheme: W4A16}', LRQModifer, LRQModifier",
    "'LRQModifier: {scheme: W4A16, iterations: many}', iterations, many",
    "'LRQModifier: {scheme: W4A16', recipe.yaml, ''"
  })
  void wrongRecipes(String yaml, String found, String wanted) throws IOException {
    Path recipe = Files.writeString(temporary.resolve("recipe.yaml"), yaml + "\n");
    refused(2, compress("--recipe=" + recipe), "recipe.yaml", found, wanted);
  }

  @Test
  void recipeThatIsNotThere() {
    refused(1, compress("--recipe=" + temporary.resolve("none.yaml")), "none.yaml");
  }

  @ParameterizedTest
  @CsvSource({
    "--scheme=W4A61, W4A61, W4A16",
    "--algorithm=rnt, rnt, rtn",
    "--shceme=W4A16, --shceme, --scheme",
    "--group-size=0, --group-size, at least 1",
    "--format=ggml, ggml, compressed-tensors",
    "--samples=0, --samples, at least 1",
    "--scheme=NVFP4, NVFP4, not supported yet"
  })
  void wrongOptions(String option, String found, String wanted) {
    refused(2, compress(option), found, wanted);
  }

  @ParameterizedTest
  @CsvSource({
    "model.layers.4.mlp.up_proj.weight, 1000, NaN, '[3, 232]'",
    "model.layers.0.self_attn.q_proj.weight, 65535, Infinity, '[255, 255]'",
    "model.layers.1.input_layernorm.weight, 7, -Infinity, 7",
    "model.embed_tokens.weight, 256, NaN, '[1, 0]'"
  })
  void weightsThatAreNotFinite(String name, int element, String value, String place)
      throws IOException {
    Tensor tensor = SampleFiles.tensors().get(name);
    long position = tensor.position() + 2L * element;
    int high = Float.floatToRawIntBits(Float.parseFloat(value)) >> 16;
    SampleFiles.poke(model.resolve(tensor.shard()), position, (byte) high, (byte) (high >> 8));
    String[] parts = {tensor.shard(), "tensor " + name, value, place, "offset " + position};
    refused(1, compress(RTN), parts);
    refused(1, compress("--algorithm=gptq", "--samples=8", "--sequence-length=16"), parts);
  }

  @Test
  void calibrationTextThatIsEmptyOrTooShort() throws IOException {
    Path text = Files.writeString(temporary.resolve("text.txt"), "");
    refused(1, compress("--calibration=" + text), "text.txt", "empty");
    Files.writeString(text, "Once upon a time there was a little model.");
    refused(1, compress("--calibration=" + text), "text.txt", "tokens", "at least 8 windows");
    Path lines =
        Files.writeString(temporary.resolve("text.jsonl"), "{\"text\": \"a\"}\n{\"txt\": 1}\n");
    refused(1, compress("--calibration=" + lines), "text.jsonl", "line 2", "--text-field");
    refused(1, compress("--calibration=" + temporary.resolve("none.txt")), "none.txt");
    Files.delete(model.resolve("calibration.jsonl"));
    refused(2, compress(), "calibration.jsonl", "--calibration", "--algorithm rtn");
  }

  @Test
  void tokenizerThatIsNotTheModels() throws IOException {
    Path tokenizer = model.resolve("tokenizer.json");
    String token =
        "{\"id\": 900, \"content\": \"<x>\", \"single_word\": false, \"lstrip\": false,"
            + " \"rstrip\": false, \"normalized\": false, \"special\": true}, ";
    SampleFiles.replace(tokenizer, "\"added_tokens\": [", "\"added_tokens\": [" + token);
    refused(1, compress(), "tokenizer.json", "901", "768");
    Files.delete(tokenizer);
    refused(1, compress(), "tokenizer.json", "does not exist");
    Files.writeString(tokenizer, "{\"model\":");
    refused(1, compress(), "tokenizer.json");
  }

  @Test
  void groupsThatDoNotDivide() {
    refused(
        1,
        compress(RTN, "--group-size=96"),
        "tensor model.layers.0.mlp.down_proj.weight",
        "512",
        "96",
        "--group-size channel",
        "--ignore");
  }

  @Test
  void targetsThatMatchNothing() {
    refused(1, compress(RTN, "--targets=re:.*nothing"), "--targets");
  }

  @Test
  void unknownArchitectures() throws IOException {
    SampleFiles.replace(
        model.resolve("config.json"), "\"model_type\": \"llama\"", "\"model_type\": \"mamba\"");
    refused(1, compress("--algorithm=gptq"), "config.json", "mamba", "--algorithm rtn");
    refused(1, compress("--algorithm=lrq"), "config.json", "mamba", "--algorithm rtn");

    CommandRun plan = CommandRun.of("plan", model.toString(), RTN);
    assertThat(plan.code()).isZero();
    assertThat(plan.out())
        .contains("model.layers.*.mlp.up_proj.weight BF16 [512, 256]  rtn W4A16")
        .contains("model.embed_tokens.weight BF16 [768, 256]  copy");
    assertThat(output).doesNotExist();

    CommandRun chosen = compress(RTN, "--targets=re:.*layers\\.[01]\\.mlp.*");
    assertThat(chosen.code()).as(chosen.err()).isZero();
    Map<String, Tensor> tensors = new Published(output).tensors();
    assertThat(tensors.keySet().stream().filter(name -> name.endsWith("_packed"))).hasSize(6);
    assertThat(tensors).containsKey("model.layers.2.mlp.up_proj.weight");
  }

  @Test
  void activationsThatCannotBeQuantized() throws IOException {
    String input = ", input_activations: {strategy: token, dynamic: true}";
    String group = "{targets: ['%s'], weights: {num_bits: 8, strategy: channel}%s}";
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(
        recipe,
        "QuantizationModifier: {config_groups: {g: "
            + group.formatted("re:.*k_proj", "")
            + ", h: "
            + group.formatted("Linear", input)
            + "}}\n");
    refused(
        1,
        compress("--recipe=" + recipe),
        "model.layers.0.self_attn.k_proj",
        "model.layers.0.self_attn.q_proj",
        "per token",
        "not at all",
        "input_activations");
    Files.delete(model.resolve("calibration.jsonl"));
    refused(
        2,
        compress(RTN, "--scheme=W8A8_STATIC"),
        "calibration.jsonl",
        "static scales",
        "--calibration");
    SampleFiles.replace(
        model.resolve("config.json"), "\"model_type\": \"llama\"", "\"model_type\": \"mamba\"");
    refused(
        1, compress(RTN, "--scheme=W4A8KV8"), "config.json", "mamba", "cannot be measured", "W8A8");
  }

  @Test
  void cachesThatAreNotThere() {
    CommandRun run =
        CommandRun.of(
            "evaluate",
            model.toString(),
            model.toString(),
            "--text=" + model.resolve("calibration.jsonl"),
            "--kv-cache=published");
    refused(2, run, "--kv-cache", "no kv_cache_scheme");
  }

  @Test
  void sparkThatIsNotThere() {
    CommandRun run =
        CommandRun.of(
            "compress", model.toString(), output.toString(), RTN, "--master=nonsense://here");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("nonsense");
    assertThat(output.resolve("shardpress.json")).doesNotExist();
  }
}
