package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounding without a store, held against the same with one: two ways to one checkpoint. */
class OnePassTest {
  private static final String ONE_PASS = "units run: round into shards ";

  @TempDir Path temporary;

  private static CommandRun compress(Path model, Path output, List<String> more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString(), "--master=local[2]"));
    words.addAll(more);
    return CommandRun.of(words.toArray(String[]::new));
  }

  private static List<String> and(List<String> words, String... more) {
    List<String> all = new ArrayList<>(words);
    all.addAll(List.of(more));
    return all;
  }

  /** Runs both ways; the model comes in two shards. */
  private void assertSame(List<String> options) throws IOException {
    Path direct = temporary.resolve("direct");
    Path parts = temporary.resolve("parts");
    CommandRun one = compress(SampleFiles.FOLDER, direct, options);
    assertThat(one.code()).as(one.err()).isZero();
    assertThat(one.err()).contains(ONE_PASS).doesNotContain("digests");
    CommandRun other =
        compress(SampleFiles.FOLDER, parts, and(options, "--work=" + temporary.resolve("work")));
    assertThat(other.code()).as(other.err()).isZero();
    assertThat(other.err()).contains("units run: digests 2").doesNotContain(ONE_PASS);
    assertThat(one.line()).isEqualTo(other.line());
    Published published = new Published(direct);
    assertThat(published.treeHash()).isEqualTo(one.line());
    JsonNode manifest = new Published(parts).manifest();
    assertThat(published.files()).isEqualTo(new Published(parts).files());
    for (String field : List.of("recipeDigest", "treeHash", "tensors", "outputs", "files")) {
      assertThat(published.manifest().get(field)).as(field).isEqualTo(manifest.get(field));
    }
    CommandRun verified = CommandRun.of("verify", direct.toString());
    assertThat(verified.code()).as(verified.err()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "QuantizationModifier: {scheme: W4A16}",
        "QuantizationModifier: {scheme: W4A16, group_size: 32}",
        "QuantizationModifier: {scheme: W4A16_ASYM}",
        "QuantizationModifier: {scheme: W3A16, group_size: channel}",
        "QuantizationModifier: {scheme: W2A16_ASYM, group_size: 64, step_search: true}",
        "QuantizationModifier: {scheme: W8A16}",
        "QuantizationModifier: {scheme: W8A16_ASYM, group_size: channel}",
        "QuantizationModifier: {scheme: W4A16, ignore: ['re:.*o_proj', 're:.*layers.3.*']}",
        "QuantizationModifier: {scheme: W8A8}",
        "QuantizationModifier: {scheme: W4A8}",
        "QuantizationModifier: {scheme: FP8_DYNAMIC}",
        "QuantizationModifier: {scheme: FP8_BLOCK}",
        "QuantizationModifier: {scheme: MXFP4A16}",
        "EasyQuantModifier: {scheme: W4A16_ASYM}",
        "EasyQuantModifier: {scheme: W8A8}"
      })
  void theSameCheckpointWithAndWithoutParts(String modifier) throws IOException {
    Path recipe = Files.writeString(temporary.resolve("recipe.yaml"), modifier + "\n");
    assertSame(List.of("--recipe=" + recipe));
  }

  @ParameterizedTest
  @CsvSource({
    "W4A16, gguf, 1M",
    "W8A16, gguf, 2M",
    "W4A16_ASYM, gguf, 900K",
    "W4A16, compressed-tensors, 1M"
  })
  void theSameGguf(String scheme, String other, String split) throws IOException {
    assertSame(
        List.of(
            "--algorithm=rtn",
            "--scheme=" + scheme,
            "--group-size=32",
            "--format=gguf",
            "--format=" + other,
            "--gguf-split-size=" + split));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "QuantizationModifier: {scheme: NVFP4A16}",
        "EasyQuantModifier: {scheme: W4A16, outliers: true}"
      })
  void statisticsOfWholeWeightsTakeParts(String modifier) throws IOException {
    Path recipe = Files.writeString(temporary.resolve("recipe.yaml"), modifier + "\n");
    CommandRun run =
        compress(SampleFiles.FOLDER, temporary.resolve("out"), List.of("--recipe=" + recipe));
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err()).contains("statistics of weights").doesNotContain(ONE_PASS);
  }

  /** Of GGUF's types each reads weights by another way. */
  @ParameterizedTest
  @CsvSource({
    "model.layers.5.mlp.down_proj.weight, W4A16, compressed-tensors",
    "model.layers.5.mlp.down_proj.weight, W8A8, compressed-tensors",
    "model.layers.0.mlp.down_proj.weight, W4A16_ASYM, gguf",
    "model.embed_tokens.weight, W4A16, compressed-tensors",
    "model.embed_tokens.weight, W4A16, gguf",
    "model.norm.weight, W4A16, gguf"
  })
  void badWeightsLeaveTheCheckpointThatWasThere(String name, String scheme, String format)
      throws IOException {
    Path output = temporary.resolve("output");
    List<String> options =
        List.of("--algorithm=rtn", "--scheme=" + scheme, "--group-size=32", "--format=" + format);
    if (scheme.equals("W8A8")) {
      options = List.of("--algorithm=rtn", "--scheme=" + scheme);
    }
    Path model = SampleFiles.copy(temporary.resolve("model"));
    Files.copy(SampleFiles.FOLDER.resolve("tokenizer.json"), model.resolve("tokenizer.json"));
    CommandRun good = compress(model, output, options);
    assertThat(good.code()).as(good.err()).isZero();
    Tensor tensor = SampleFiles.tensors().get(name);
    // The last element but one is NaN.
    long position = tensor.position() + tensor.bytes().length - 4;
    SampleFiles.poke(model.resolve(tensor.shard()), position, (byte) 0xC0, (byte) 0x7F);
    CommandRun bad = compress(model, output, and(options, "--overwrite"));
    assertThat(bad.code()).isEqualTo(1);
    assertThat(bad.errors()).singleElement().asString().contains("tensor " + name, "NaN");
    assertThat(bad.errors().get(0)).contains("offset " + position);
    CommandRun verified = CommandRun.of("verify", output.toString());
    assertThat(verified.code()).as(verified.err()).isZero();
    assertThat(verified.line()).isEqualTo(good.line()).isEqualTo(new Published(output).treeHash());
  }

  /** A tensor that no file of the checkpoint is to hold is read all the same. */
  @Test
  void badWeightsThatAreLeftOut() throws IOException {
    Path model = SmallModel.write(temporary.resolve("model"));
    List<Tensor> tensors = new ArrayList<>(SampleFiles.read(model, "model.safetensors"));
    byte[] bytes = new byte[8];
    bytes[2] = (byte) 0x80;
    bytes[3] = 0x7F;
    tensors.add(
        new Tensor(
            "model.layers.1.self_attn.rotary_emb.inv_freq", "BF16", List.of(4L), "", 0, bytes));
    SafetensorsWriter.write(model.resolve("model.safetensors"), tensors);
    Path output = temporary.resolve("output");
    CommandRun run = compress(model, output, List.of("--algorithm=rtn", "--format=gguf"));
    assertThat(run.code()).as(run.err()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("inv_freq", "Infinity", "[1, 0]");
    assertThat(output).doesNotExist();
  }

  @Test
  void replacesAFinishedCheckpoint() throws IOException {
    Path output = temporary.resolve("output");
    CommandRun first = compress(SampleFiles.FOLDER, output, List.of("--algorithm=rtn"));
    assertThat(first.code()).as(first.err()).isZero();
    CommandRun second =
        compress(
            SampleFiles.FOLDER,
            output,
            List.of("--algorithm=rtn", "--scheme=W8A16", "--overwrite"));
    assertThat(second.code()).as(second.err()).isZero();
    assertThat(second.line())
        .isNotEqualTo(first.line())
        .isEqualTo(new Published(output).treeHash());
    assertThat(new Published(output).files()).noneMatch(file -> file.startsWith(".shardpress"));
  }
}
