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
import java.util.Locale;
import java.util.TimeZone;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same model, recipe and seed give the same bytes, however many cores there are. */
class SameBytesTest {
  @TempDir static Path shared;
  @TempDir Path temporary;

  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModel.write(shared.resolve("model"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "QuantizationModifier: {scheme: W4A16}",
        "EasyQuantModifier: {scheme: W4A16, outliers: true}",
        "QuantizationModifier: {scheme: W8A8_STATIC, kv_cache_scheme: {type: int}}",
        "GPTQModifier: {scheme: W3A16_ASYM, group_size: 64}",
        "GPTQModifier: {scheme: W4A8KV8}",
        "GPTQModifier: {scheme: W4A16_ASYM, group_size: 32, actorder: group}",
        "GPTQModifier: {scheme: W4A16, ignore: ['re:.*o_proj'], scale_iterations: 6, batch_size:"
            + " 3}",
        "CoupledModifier: {scheme: W3A16_ASYM, group_size: 64, ignore: ['re:.*k_proj'], draws: 2}",
        "[{CoupledModifier: {scheme: W4A16}}, {EndToEndModifier: {iterations: 2, batch_size: 50,"
            + " integers: 0.1}}]",
        "LRQModifier: {scheme: W4A16, iterations: 4, rank: 8}",
        "LRQModifier: {scheme: W4A16_ASYM, order: parallel, iterations: 4, rank: 8, touch_up: 2}",
        "FlexRoundModifier: {scheme: W4A16_ASYM, order: parallel, iterations: 4}",
        "AutoRoundModifier: {scheme: W4A16, iterations: 4, batch_size: 2}",
        "[{SmoothQuantModifier: {}}, {GPTQModifier: {scheme: W4A16}}]",
        "AWQModifier: {scheme: W4A16_ASYM, n_grid: 3}"
      })
  void whereverItRuns(String modifier) throws IOException {
    assertSame(modifier);
  }

  @Test
  void asGgufToo() throws IOException {
    assertSame(
        "GPTQModifier: {scheme: W4A16_ASYM, group_size: 32, ignore: ['re:.*o_proj']}",
        "--format=compressed-tensors",
        "--format=gguf",
        "--gguf-type=Q4_K",
        "--gguf-split-size=300K");
  }

  private void assertSame(String modifier, String... more) throws IOException {
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(recipe, modifier + "\n");
    List<String> hashes = new ArrayList<>();
    for (String master : List.of("local[1]", "local[2]", "local[2]")) {
      Path output = temporary.resolve("out" + hashes.size());
      CommandRun run = compress(recipe, output, master, more);
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.line()).isEqualTo(new Published(output).treeHash());
      hashes.add(run.line());
    }
    assertThat(hashes).containsOnly(hashes.get(0));
  }

  /** Shard names, recipes and names of parts have the digits of no machine. */
  @Test
  void inAnyLocaleAndTimeZone() throws IOException {
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(recipe, "GPTQModifier: {scheme: W4A16, group_size: 32}\n");
    String[] more = {"--format=compressed-tensors", "--format=gguf", "--gguf-split-size=300K"};
    CommandRun here = compress(recipe, temporary.resolve("here"), "local[2]", more);
    assertThat(here.code()).as(here.err()).isZero();
    Locale locale = Locale.getDefault();
    TimeZone zone = TimeZone.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG"));
      TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
      // The digits of this locale are others: the test would show it.
      assertThat(String.format(Locale.getDefault(), "%d", 17)).isNotEqualTo("17");
      CommandRun there = compress(recipe, temporary.resolve("there"), "local[2]", more);
      assertThat(there.code()).as(there.err()).isZero();
      assertThat(there.line()).isEqualTo(here.line());
    } finally {
      Locale.setDefault(locale);
      TimeZone.setDefault(zone);
    }
  }

  /** Of two linears that read the same inputs each has its own part, whatever they hold. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "GPTQModifier: {scheme: W4A16, group_size: 32}",
        "LRQModifier: {scheme: W4A16, iterations: 2, rank: 4}"
      })
  void keysAndValuesMayHaveEqualWeights(String modifier) throws IOException {
    Path twins = temporary.resolve("twins");
    SmallModel.write(twins);
    List<Tensor> tensors = new ArrayList<>();
    for (Tensor tensor : SampleFiles.read(twins, "model.safetensors")) {
      String key = tensor.name().replace("v_proj", "k_proj");
      byte[] bytes =
          SampleFiles.tensors().get(key) == null
              ? tensor.bytes()
              : SampleFiles.tensors().get(key).bytes();
      tensors.add(
          new Tensor(tensor.name(), tensor.dtype(), tensor.shape(), tensor.shard(), 0, bytes));
    }
    SafetensorsWriter.write(twins.resolve("model.safetensors"), tensors);
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(recipe, modifier + "\n");
    CommandRun run =
        CommandRun.of(
            "compress",
            twins.toString(),
            temporary.resolve("out").toString(),
            "--recipe=" + recipe,
            "--master=local[2]",
            "--samples=8",
            "--sequence-length=32");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err()).doesNotContain("made again");
  }

  @Test
  void seedsGiveOtherBytes() throws IOException {
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(recipe, "LRQModifier: {scheme: W4A16, init: rtn, iterations: 4, rank: 8}\n");
    CommandRun run = compress(recipe, temporary.resolve("first"), "local[2]", "--seed=7");
    CommandRun other = compress(recipe, temporary.resolve("other"), "local[2]", "--seed=8");
    assertThat(other.line()).hasSize(64).isNotEqualTo(run.line());
  }

  private static CommandRun compress(Path recipe, Path output, String master, String... more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString()));
    words.addAll(List.of("--recipe=" + recipe, "--master=" + master));
    // More than 8192 tokens, so that there are two partitions to sum over.
    words.addAll(List.of("--samples=300", "--sequence-length=32"));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }
}
