package io.shardpress.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.family.TinyFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * GGUF files of small models of other families in llama.cpp. Its code has fixed some of what
 * config.json says, by which these differ from {@link TinyFamily}'s; the library is older than
 * Qwen3-MoE.
 */
class LlamaCppFamiliesTest {
  private static final int WINDOW = LlamaCppAgreement.WINDOW;

  @TempDir Path temporary;

  @BeforeAll
  static void onlyWhereItsLibraryIs() {
    String system = System.getProperty("os.name") + "/" + System.getProperty("os.arch");
    assumeTrue(system.equals("Linux/amd64"), "de.kherud:llama's library is for x86-64 Linux here");
  }

  @SuppressWarnings("ImmutableEnumChecker")
  enum Case {
    MIXTRAL(TinyFamily.MIXTRAL, config -> config),
    QWEN2_MOE(TinyFamily.QWEN2_MOE, config -> config),
    /** Texts in which both take the short factors. */
    PHI3(
        TinyFamily.PHI3,
        config ->
            config.replace(
                "\"original_max_position_embeddings\": 64",
                "\"original_max_position_embeddings\": 256")),
    /** Prompts longer than the original ones, so that both take the long factors. */
    PHI3_LONG(
        TinyFamily.PHI3_LONG,
        config ->
            config
                .replace("\"sliding_window\": 13", "\"sliding_window\": null")
                .replace(
                    "\"original_max_position_embeddings\": 16",
                    "\"original_max_position_embeddings\": 8")),
    /** As many layers as llama.cpp knows the 2B by. */
    GEMMA2(
        TinyFamily.GEMMA2,
        config ->
            config
                .replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 26")
                .replace("\"query_pre_attn_scalar\": 24", "\"query_pre_attn_scalar\": 16")),
    GEMMA3(
        TinyFamily.GEMMA3,
        config ->
            config
                .replace("\"num_hidden_layers\": 4", "\"num_hidden_layers\": 7")
                .replace("\"sliding_window_pattern\": 3", "\"sliding_window_pattern\": 6"));

    private final TinyFamily family;
    private final UnaryOperator<String> change;

    Case(TinyFamily family, UnaryOperator<String> change) {
      this.family = family;
      this.change = change;
    }
  }

  @ParameterizedTest
  @EnumSource
  void familiesComputeTheSame(Case one) throws IOException {
    Path model = one.family.write(temporary.resolve("tiny"), one.change);
    Path output = temporary.resolve("output");
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            output.toString(),
            "--master=local[2]",
            "--algorithm=rtn",
            "--scheme=W8A16",
            "--group-size=32",
            // One block of learned integers: llama.cpp rounds what goes into them to 8 bits, and
            // through many random blocks that adds up.
            "--targets=re:.*layers\\.0\\..*(proj|w[123])",
            "--gguf-type=F16",
            "--format=compressed-tensors",
            "--format=gguf");
    assertThat(run.code()).as(run.err()).isZero();
    Path file;
    try (Stream<Path> files = Files.list(output)) {
      file = files.filter(f -> f.toString().endsWith(".gguf")).findFirst().orElseThrow();
    }
    try (LlamaCpp llama = new LlamaCpp(file, WINDOW)) {
      List<int[]> windows = LlamaCppAgreement.heldOut(llama, model);
      LlamaCppAgreement.check(llama, output, windows.subList(0, 4), 18);
    }
  }
}
