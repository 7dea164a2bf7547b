package io.shardpress.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.app.SparkCommandEngine;
import io.shardpress.spark.app.options.CacheRounding;
import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.EvaluateOptions;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.RecipeChoice;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.app.options.TextSettings;
import io.shardpress.spark.io.SampleFiles;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The command on trained models. The figures wanted are those of other implementations: the
 * sample's README and, of a model trained by others, an independent PyTorch program's.
 */
class EvaluateTest {
  private static final Path SAMPLE_TEXT = SampleFiles.FOLDER.resolve("heldout.jsonl");
  private static final Path STORIES = Path.of("..", "samples", "stories260K");

  @TempDir Path folder;

  private record Outcome(int code, String out) {
    JsonNode json() throws Exception {
      return new JsonMapper().readTree(out);
    }
  }

  @Test
  void theSampleDoesNotDivergeFromItself() throws Exception {
    Outcome outcome =
        evaluate(SampleFiles.FOLDER, SampleFiles.FOLDER, SAMPLE_TEXT, 96, 256, "local[2]", 0.0);
    assertThat(outcome.code()).isEqualTo(ExitCodes.DONE);
    JsonNode json = outcome.json();
    assertThat(json.fieldNames())
        .toIterable()
        .containsExactly("tokens", "original", "compressed", "kl", "top1_agreement");
    assertThat(json.get("tokens").asLong()).isEqualTo(96 * 255);
    assertThat(json.get("original").get("nll").asDouble()).isCloseTo(0.711, within(0.005));
    assertThat(json.get("compressed")).isEqualTo(json.get("original"));
    assertThat(json.get("kl").get("max").asDouble()).isZero();
    assertThat(json.get("top1_agreement").asDouble()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"W4A16,0.00063,0.934", "W3A16,0.0038,0.888"})
  void roundToNearestIsAsFarAsTheSamplesReadmeSays(String scheme, double kl, double agreement)
      throws Exception {
    Path compressed = compress(SampleFiles.FOLDER, scheme, OptionalInt.empty());
    Outcome outcome =
        evaluate(SampleFiles.FOLDER, compressed, SAMPLE_TEXT, 96, 256, "local[2]", kl * 1.1);
    assertThat(outcome.code()).isEqualTo(ExitCodes.DONE);
    JsonNode json = outcome.json();
    assertThat(json.get("kl").get("mean").asDouble()).isCloseTo(kl, within(0.04 * kl));
    assertThat(json.get("top1_agreement").asDouble()).isCloseTo(agreement, within(0.003));
  }

  @Test
  void figuresDoNotDependOnTheCoresAndALimitCanBeExceeded() throws Exception {
    Path compressed = compress(SampleFiles.FOLDER, "W2A16_ASYM", OptionalInt.of(64));
    Outcome one = evaluate(SampleFiles.FOLDER, compressed, SAMPLE_TEXT, 25, 64, "local[1]", 1e-6);
    Outcome two = evaluate(SampleFiles.FOLDER, compressed, SAMPLE_TEXT, 25, 64, "local[2]", 1e9);
    assertThat(one.code()).isEqualTo(ExitCodes.LIMIT_EXCEEDED);
    assertThat(two.code()).isEqualTo(ExitCodes.DONE);
    assertThat(one.out()).isEqualTo(two.out()).hasLineCount(1);
    JsonNode json = one.json();
    assertThat(json.get("kl").get("mean").asDouble()).isPositive();
    double difference =
        json.get("compressed").get("nll").asDouble() - json.get("original").get("nll").asDouble();
    assertThat(difference).isPositive();
  }

  /** Rounding inputs and caches too takes the model farther away, each by its own share. */
  @ParameterizedTest
  @CsvSource({"W8A16,W8A8,0", "W4A16,W4A8,128", "W4A8,W4A8KV8,128", "W8A8,W8A8_STATIC,0"})
  void quantizedActivationsDivergeFarther(String fewer, String more, int group) throws Exception {
    double kl = meanKl(fewer, group);
    double farther = meanKl(more, group);
    assertThat(farther).isFinite().isLessThan(0.02).isGreaterThan(1.05 * kl);
  }

  private double meanKl(String scheme, int group) throws Exception {
    Path compressed = compress(SampleFiles.FOLDER, scheme, OptionalInt.of(group));
    Path kept = Files.move(compressed, folder.resolve(scheme));
    Outcome outcome = evaluate(SampleFiles.FOLDER, kept, SAMPLE_TEXT, 48, 256, "local[2]", 10);
    return outcome.json().get("kl").get("mean").asDouble();
  }

  @ParameterizedTest
  @CsvSource({"W4A16_ASYM,0.1210", "W3A16_ASYM,1.0123"})
  void roundToNearestPerChannelIsAsFarAsPyTorchFinds(String scheme, double kl) throws Exception {
    Path compressed = compress(STORIES, scheme, OptionalInt.of(0));
    Path text = STORIES.resolve("heldout.jsonl");
    Outcome outcome = evaluate(STORIES, compressed, text, 96, 256, "local[2]", 10);
    double mean = outcome.json().get("kl").get("mean").asDouble();
    assertThat(mean).isCloseTo(kl, within(0.01 * kl));
  }

  private Path compress(Path model, String scheme, OptionalInt group) {
    Path output = folder.resolve("compressed");
    Recipe recipe = Recipe.of("rtn", scheme, group, List.of(), List.of(), 0);
    CompressOptions options =
        new CompressOptions(
            model.toString(),
            output.toString(),
            new RecipeChoice(Optional.empty(), Optional.of(recipe), OptionalLong.empty()),
            text(Optional.empty(), 64, 256),
            Optional.empty(),
            false,
            OutputChoice.DEFAULT.forAnyRuntime(),
            false,
            spark("local[2]"));
    assertThat(captured(() -> new SparkCommandEngine().compress(options)).code()).isZero();
    return output;
  }

  private static Outcome evaluate(
      Path original,
      Path compressed,
      Path text,
      int samples,
      int length,
      String master,
      double maxKl) {
    EvaluateOptions options =
        new EvaluateOptions(
            original.toString(),
            compressed.toString(),
            text(Optional.of(text.toString()), samples, length),
            true,
            CacheRounding.RUNTIME,
            OptionalDouble.of(maxKl),
            spark(master));
    return captured(() -> new SparkCommandEngine().evaluate(options));
  }

  private static TextSettings text(Optional<String> file, int samples, int length) {
    return new TextSettings(file, "text", samples, OptionalInt.of(length));
  }

  private static SparkSettings spark(String master) {
    return new SparkSettings(Optional.of(master), Map.of());
  }

  /** Runs a command and keeps what it writes to stdout. */
  private static Outcome captured(java.util.function.IntSupplier command) {
    PrintStream stdout = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      int code = command.getAsInt();
      return new Outcome(code, bytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(stdout);
    }
  }
}
