package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.family.TinyFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every family by every algorithm: what comes out is measured by evaluate, whose forward pass is
 * held against the families' formulas elsewhere.
 */
@SuppressWarnings("EnumOrdinal")
class FamilyCompressTest {
  @TempDir Path folder;

  /** Scheme, learner, and how far its divergence may be of rounding's. */
  private record Learner(String scheme, String modifier, double share) {
    @Override
    public String toString() {
      return modifier;
    }
  }

  private static final List<Learner> LEARNERS =
      List.of(
          new Learner("W4A16", "GPTQModifier: {SCHEME}", 0.9),
          new Learner("W4A16_ASYM", "LRQModifier: {SCHEME, iterations: 6, rank: 8}", 0.9),
          new Learner("W4A16", "FlexRoundModifier: {SCHEME, iterations: 6}", 1.2),
          new Learner("W4A16", "AutoRoundModifier: {SCHEME, iterations: 6, batch_size: 2}", 1.3),
          new Learner("W4A16_ASYM", "AWQModifier: {SCHEME, n_grid: 4}", 1.1),
          new Learner("W4A16_ASYM", "CoupledModifier: {SCHEME}", 0.9),
          new Learner("W4A8KV8", "GPTQModifier: {SCHEME}", 1.0),
          new Learner(
              "W8A8", "[{SmoothQuantModifier: {}}, {QuantizationModifier: {SCHEME}}]", 1.3));

  /**
   * GPTQ and one other learner of each family in turn; with {@code -Dshardpress.families=full} all
   * of them.
   */
  static Stream<Arguments> cases() {
    boolean full = "full".equals(System.getProperty("shardpress.families"));
    return Stream.of(TinyFamily.values())
        .flatMap(
            family ->
                IntStream.range(0, LEARNERS.size())
                    .filter(
                        i -> full || i == 0 || i == 1 + family.ordinal() % (LEARNERS.size() - 1))
                    .mapToObj(i -> Arguments.of(family, LEARNERS.get(i))));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void compressesAboutAsWellAsElsewhere(TinyFamily family, Learner learner) throws IOException {
    Path model = family.write(folder.resolve("model"));
    double rounded = kl(model, learner.scheme(), "QuantizationModifier: {SCHEME}");
    double learned = kl(model, learner.scheme(), learner.modifier());
    assertThat(learned).isPositive().isLessThan(learner.share() * rounded);
  }

  /** Mean divergence of what a modifier makes of a model. */
  private double kl(Path model, String scheme, String modifier) throws IOException {
    String group = scheme.equals("W8A8") ? "" : ", group_size: 32";
    Path recipe =
        Files.writeString(
            folder.resolve("recipe.yaml"),
            modifier.replace("SCHEME", "scheme: " + scheme + group) + "\n");
    Path output = Files.createTempDirectory(folder, "out");
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            output.toString(),
            "--recipe=" + recipe,
            "--samples=48",
            "--sequence-length=32",
            // Asymmetric experts are not for vLLM.
            "--runtime=any",
            "--master=local[2]");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.line()).isEqualTo(new Published(output).treeHash());
    return kl(model, output);
  }

  private double kl(Path model, Path output) throws IOException {
    CommandRun run =
        CommandRun.of(
            "evaluate",
            model.toString(),
            output.toString(),
            "--json",
            "--samples=8",
            "--sequence-length=32",
            "--text=" + model.resolve("heldout.jsonl"),
            "--master=local[2]");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = new JsonMapper().readTree(run.out());
    return json.get("kl").get("mean").asDouble();
  }
}
