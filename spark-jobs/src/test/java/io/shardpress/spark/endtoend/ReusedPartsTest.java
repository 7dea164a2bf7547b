package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A run over a store that another run has left, whole or with parts missing, publishes the same
 * bytes: what is learned again, and what is carried forward another way, comes out the same.
 */
class ReusedPartsTest {
  private static final String NOTHING_LEARNED = "learners 0.0 CPU s";

  @TempDir Path temporary;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "QuantizationModifier: {scheme: W4A16}",
        "QuantizationModifier: {scheme: W8A8_STATIC, kv_cache_scheme: {type: float}}",
        "GPTQModifier: {scheme: W4A16}",
        "GPTQModifier: {scheme: W4A16_ASYM, scale_iterations: 6}",
        "CoupledModifier: {scheme: W4A16_ASYM}",
        "[{CoupledModifier: {scheme: W4A16}}, {EndToEndModifier: {iterations: 2, batch_size: 4}}]",
        "LRQModifier: {scheme: W4A16, iterations: 4, rank: 8}"
      })
  void sameBytesFromWhatIsLeft(String modifier) throws IOException {
    Path model = SmallModel.write(temporary.resolve("model"));
    Path recipe = Files.writeString(temporary.resolve("recipe.yaml"), modifier + "\n");
    CommandRun first = compress(model, recipe, "first");
    assertThat(first.code()).as(first.err()).isZero();

    CommandRun whole = compress(model, recipe, "whole");
    assertThat(whole.err()).contains(NOTHING_LEARNED);
    assertThat(whole.line()).isEqualTo(first.line());

    List<Path> parts = parts();
    for (int i = 0; i < parts.size(); i += 2) {
      Files.delete(parts.get(i));
    }
    CommandRun half = compress(model, recipe, "half");
    assertThat(half.code()).as(half.err()).isZero();
    assertThat(half.line()).isEqualTo(first.line());
  }

  private List<Path> parts() throws IOException {
    try (Stream<Path> files = Files.walk(temporary.resolve("work"))) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private CommandRun compress(Path model, Path recipe, String output) {
    return CommandRun.of(
        "compress",
        model.toString(),
        temporary.resolve(output).toString(),
        "--recipe=" + recipe,
        "--work=" + temporary.resolve("work"),
        "--master=local[2]",
        "--samples=300",
        "--sequence-length=32");
  }
}
