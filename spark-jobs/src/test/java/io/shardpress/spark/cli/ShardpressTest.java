package io.shardpress.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.gguf.GgufType;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.output.OutputFormat;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.app.options.CacheRounding;
import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.DecompressOptions;
import io.shardpress.spark.app.options.EvaluateOptions;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.GcOptions;
import io.shardpress.spark.app.options.InspectOptions;
import io.shardpress.spark.app.options.PlanOptions;
import io.shardpress.spark.app.options.RecipeChoice;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.app.options.TextSettings;
import io.shardpress.spark.app.options.VerifyOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class ShardpressTest {
  private static final SparkSettings LOCAL = new SparkSettings(Optional.empty(), Map.of());
  private static final TextSettings TEXT =
      new TextSettings(Optional.empty(), "text", 512, OptionalInt.empty());

  private final RecordingEngine engine = new RecordingEngine();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    CommandLine line = Shardpress.over(() -> engine);
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    return line.execute(args);
  }

  private int runWords(String words) {
    return run(words.isBlank() ? new String[0] : words.strip().split(" +"));
  }

  private static RecipeChoice given(String algorithm, String scheme) {
    return new RecipeChoice(
        Optional.empty(),
        Optional.of(Recipe.of(algorithm, scheme, OptionalInt.empty(), List.of(), List.of(), 0)),
        OptionalLong.empty());
  }

  @Test
  void compressTakesDefaults() {
    assertThat(runWords("compress samples/sample-llama out --scheme W4A16 --algorithm lrq"))
        .isZero();
    assertThat(engine.asked)
        .containsExactly(
            new CompressOptions(
                "samples/sample-llama",
                "out",
                given("lrq", "W4A16"),
                TEXT,
                Optional.empty(),
                false,
                OutputChoice.DEFAULT,
                false,
                LOCAL));
    assertThat(err.toString()).isEmpty();
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void compressTakesEverything() {
    assertThat(
            runWords(
                "compress s3a://b/m hdfs://n/o --algorithm gptq --scheme W3A16_ASYM --group-size channel"
                    + " --targets re:.*proj$ --ignore a --ignore re:b{2,} --seed 7 --calibration c.txt"
                    + " --text-field body --samples 128 --sequence-length 256 --work w"
                    + " --keep-activations"
                    + " --format compressed-tensors --format gguf --gguf-type Q6_K"
                    + " --gguf-split-size 300M --runtime any --overwrite --master local[2]"
                    + " --conf spark.a=b=c --conf spark.d=e"))
        .isZero();
    assertThat(engine.asked)
        .containsExactly(
            new CompressOptions(
                "s3a://b/m",
                "hdfs://n/o",
                new RecipeChoice(
                    Optional.empty(),
                    Optional.of(
                        Recipe.of(
                            "gptq",
                            "W3A16_ASYM",
                            OptionalInt.of(0),
                            List.of("re:.*proj$"),
                            List.of("a", "re:b{2,}"),
                            7)),
                    OptionalLong.of(7)),
                new TextSettings(Optional.of("c.txt"), "body", 128, OptionalInt.of(256)),
                Optional.of("w"),
                true,
                new OutputChoice(
                    Set.of(OutputFormat.COMPRESSED_TENSORS, OutputFormat.GGUF),
                    Optional.of(GgufType.Q6_K),
                    300_000_000,
                    false),
                true,
                new SparkSettings(
                    Optional.of("local[2]"), Map.of("spark.a", "b=c", "spark.d", "e"))));
  }

  @Test
  void aDryRunIsAPlan() {
    assertThat(runWords("compress m o --dry-run --algorithm rtn")).isZero();
    assertThat(runWords("plan m --algorithm rtn --hash --work w")).isZero();
    assertThat(engine.asked)
        .containsExactly(
            new PlanOptions(
                "m",
                Optional.of("o"),
                given("rtn", "W4A16"),
                OutputChoice.DEFAULT,
                TEXT,
                Optional.empty(),
                false,
                LOCAL),
            new PlanOptions(
                "m",
                Optional.empty(),
                given("rtn", "W4A16"),
                OutputChoice.DEFAULT,
                TEXT,
                Optional.of("w"),
                true,
                LOCAL));
  }

  @Test
  void theOtherCommands() {
    assertThat(runWords("evaluate a b --text t.jsonl --json --kv-cache published --max-kl 0.05"))
        .isZero();
    assertThat(runWords("verify o --master local[1]")).isZero();
    assertThat(runWords("inspect m --tensors *q_proj* --statistics")).isZero();
    assertThat(runWords("gc w --keep 3")).isZero();
    assertThat(runWords("decompress c d --dtype float16 --overwrite")).isZero();
    assertThat(runWords("decompress c d")).isZero();
    assertThat(engine.asked)
        .containsExactly(
            new EvaluateOptions(
                "a",
                "b",
                new TextSettings(Optional.of("t.jsonl"), "text", 512, OptionalInt.empty()),
                true,
                CacheRounding.PUBLISHED,
                OptionalDouble.of(0.05),
                LOCAL),
            new VerifyOptions("o", new SparkSettings(Optional.of("local[1]"), Map.of())),
            new InspectOptions("m", Optional.of("*q_proj*"), true, false, LOCAL),
            new GcOptions("w", 3, LOCAL),
            new DecompressOptions("c", "d", Optional.of(Dtype.F16), true, LOCAL),
            new DecompressOptions("c", "d", Optional.empty(), false, LOCAL));
  }

  @Test
  void aRecipeFileIsReadByTheEngineAndTakesTheSeed() {
    assertThat(runWords("plan m --recipe r.yaml --seed 5")).isZero();
    RecipeChoice choice = ((PlanOptions) engine.asked.get(0)).recipe();
    assertThat(choice.file()).contains("r.yaml");
    assertThat(choice.resolve(file -> "LRQModifier: {scheme: W4A16, seed: 1}"))
        .isEqualTo(Recipe.of("lrq", "W4A16", OptionalInt.empty(), List.of(), List.of(), 5));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "compress m o --shceme W4A16|error: unknown option '--shceme', the nearest is --scheme (see shardpress compress --help)",
        "compess m o|error: unknown command 'compess', the nearest is compress",
        "|error: no command; want one of plan, compress, decompress, evaluate, verify, inspect",
        "compress m|error: Missing required parameter: 'OUTPUT'",
        "evaluate a b|error: Missing required option: '--text=FILE'",
        "verify|error: Missing required parameter: 'OUTPUT'",
        "compress m o p|error: unknown argument 'p' (see",
        "compress m o --samples many|error: Invalid value for option '--samples'",
        "compress m o --samples 0|error: --samples is 0, want at least 1",
        "compress m o --sequence-length 1|error: --sequence-length is 1, want at least 2",
        "compress m o --scheme W4A61|error: unknown scheme 'W4A61', the nearest is W4A16",
        "compress m o --scheme NVFP4|error: scheme NVFP4 is not supported yet",
        "compress m o --algorithm gtpq|error: unknown algorithm 'gtpq', the nearest is gptq",
        "compress m o --algorithm awk|error: unknown algorithm 'awk', the nearest is awq",
        "compress m o --group-size 0|error: --group-size is 0, want an integer of at least 1, or channel",
        "compress m o --ignore re:(|error: target 're:(' is no regular expression",
        "compress m o --recipe r --scheme W4A16|error: both --recipe and --scheme",
        "plan m --hash|error: --hash without --work",
        "gc w|error: Missing required option: '--keep=N'",
        "gc w --keep 0|error: --keep is 0, want at least 1",
        "compress m o --keep-activations|error: --keep-activations without --work",
        "compress m o --gguf-type Q6_K|error: --gguf-type without --format gguf",
        "compress m o --format gguf --gguf-type Q4_0|error: --gguf-type is Q4_0, want one of [F32,",
        "compress m o --format gguf --gguf-split-size 5T|error: --gguf-split-size is 5T",
        "compress m o --runtime tgi|error: --runtime is tgi, want vllm or any",
        "compress m o --format ggml|error: unknown format 'ggml'",
        "evaluate a b --text t --max-kl -1|error: --max-kl is -1.0, want a number of at least 0",
        "inspect m --tensors re:(|error: pattern re:( is no regular expression: Unclosed group",
        "compress m o --conf spark.a|error: --conf wants KEY=VALUE, a Spark property and its value",
      })
  void wrongUsageIsOneLineAndCode2(String words, String message) {
    assertThat(runWords(words == null ? "" : words)).isEqualTo(2);
    assertThat(err.toString()).contains(message);
    assertThat(err.toString().lines()).hasSize(1);
    assertThat(out.toString()).isEmpty();
    assertThat(engine.asked).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "-h",
        "plan --help",
        "compress -h",
        "evaluate --help",
        "verify -h",
        "inspect -h",
        "gc --help"
      })
  void helpGoesToStdout(String words) {
    assertThat(runWords(words)).isZero();
    assertThat(out.toString()).startsWith("Usage: shardpress").contains("--stacktrace");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void theEnginesCodeIsTheCommands() {
    engine.code = ExitCodes.LIMIT_EXCEEDED;
    assertThat(runWords("evaluate a b --text t --max-kl 0")).isEqualTo(3);
  }

  @Test
  void failuresAreOneLine() {
    engine.failure = new CheckpointException("model.safetensors: truncated");
    assertThat(runWords("verify o")).isEqualTo(1);
    engine.failure = new UsageException("unknown key");
    assertThat(runWords("verify o")).isEqualTo(2);
    engine.failure =
        new IllegalStateException("Job aborted", new CheckpointException("shard 2: truncated"));
    assertThat(runWords("verify o")).isEqualTo(1);
    engine.failure = new IllegalStateException("oops\n  more");
    assertThat(runWords("verify o")).isEqualTo(1);
    assertThat(err.toString().lines())
        .containsExactly(
            "error: model.safetensors: truncated",
            "error: unknown key",
            "error: shard 2: truncated",
            "error: java.lang.IllegalStateException: oops (--stacktrace shows where)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--stacktrace verify o", "verify o --stacktrace"})
  void aStacktraceIsShownWhereAsked(String words) {
    engine.failure = new IllegalStateException("oops");
    assertThat(runWords(words)).isEqualTo(1);
    assertThat(err.toString())
        .startsWith("error: java.lang.IllegalStateException: oops")
        .contains("ShardpressTest.aStacktraceIsShownWhereAsked");
  }
}
