package io.shardpress.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.FamilyVariant;
import io.shardpress.spark.endtoend.GgufReader;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import io.shardpress.spark.text.TokenizerFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * GGUF files of the trained sample in llama.cpp: its tokens, its perplexity on held-out text and
 * its greedy continuations are those of our own blocks on the same weights. llama.cpp rounds the
 * inputs of quantized linears to 8 bits, so that logits differ a little and near ties may fall
 * otherwise.
 */
class LlamaCppTest {
  private static final int WINDOW = LlamaCppAgreement.WINDOW;
  private static final int WINDOWS = LlamaCppAgreement.WINDOWS;

  @TempDir Path temporary;

  @BeforeAll
  static void onlyWhereItsLibraryIs() {
    String system = System.getProperty("os.name") + "/" + System.getProperty("os.arch");
    assumeTrue(system.equals("Linux/amd64"), "de.kherud:llama's library is for x86-64 Linux here");
  }

  private Path compress(Path model, String... more) {
    Path output = temporary.resolve("output");
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString(), "--master=local[2]"));
    words.addAll(List.of("--format=gguf", "--overwrite"));
    words.addAll(List.of(more));
    CommandRun run = CommandRun.of(words.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return output;
  }

  /** The safetensors of the same run are the twin. */
  @ParameterizedTest
  @CsvSource({
    "gptq,W4A16,sample-llama-Q4_0.gguf",
    "rtn,W8A16,sample-llama-Q8_0.gguf",
    "rtn,W4A16_ASYM,sample-llama-Q4_1.gguf"
  })
  void learnedIntegersGiveThePerplexityOfTheirTwin(String algorithm, String scheme, String file)
      throws IOException {
    Path output =
        compress(
            SampleFiles.FOLDER,
            "--algorithm=" + algorithm,
            "--scheme=" + scheme,
            "--samples=16",
            "--sequence-length=128",
            "--format=compressed-tensors");
    try (LlamaCpp llama = new LlamaCpp(output.resolve(file), WINDOW)) {
      LlamaCppAgreement.check(llama, output, LlamaCppAgreement.heldOut(llama, SampleFiles.FOLDER));
    }
  }

  /** Matrices that nothing is learned for; the twin has their weights as the file's blocks say. */
  @ParameterizedTest
  @CsvSource({
    "model,sample-llama-BF16.gguf",
    "F16,sample-llama-F16.gguf",
    "Q6_K,sample-llama-Q6_K.gguf",
    "Q4_K,sample-llama-Q4_K.gguf"
  })
  void roundedBlocksGiveThePerplexityOfTheirWeights(String type, String file) throws IOException {
    List<String> options =
        new ArrayList<>(List.of("--algorithm=rtn", "--targets=re:.*layers\\.0.*k_proj"));
    if (!type.equals("model")) {
      options.add("--gguf-type=" + type);
    }
    Path output = compress(SampleFiles.FOLDER, options.toArray(String[]::new));
    Path twin = dense(new GgufReader(output.resolve(file)), SampleFiles.FOLDER);
    try (LlamaCpp llama = new LlamaCpp(output.resolve(file), WINDOW)) {
      LlamaCppAgreement.check(llama, twin, LlamaCppAgreement.heldOut(llama, SampleFiles.FOLDER));
    }
  }

  /** evaluate says the same of the twin as the passes that these tests make. */
  @Test
  void evaluateSaysTheSame() throws IOException {
    Path output = compress(SampleFiles.FOLDER, "--algorithm=rtn", "--format=compressed-tensors");
    CommandRun run =
        CommandRun.of(
            "evaluate",
            SampleFiles.FOLDER.toString(),
            output.toString(),
            "--text=" + SampleFiles.FOLDER.resolve("heldout.jsonl"),
            "--samples=" + WINDOWS,
            "--sequence-length=" + WINDOW,
            "--json",
            "--master=local[2]");
    assertThat(run.code()).as(run.err()).isZero();
    double evaluated =
        new JsonMapper().readTree(run.out()).get("compressed").get("perplexity").asDouble();
    try (LlamaCpp llama = new LlamaCpp(output.resolve("sample-llama-Q4_0.gguf"), WINDOW)) {
      double perplexity =
          LlamaCppAgreement.perplexity(
              LlamaCppAgreement.heldOut(llama, SampleFiles.FOLDER), llama.tokens(), llama::logits);
      assertThat(perplexity).isCloseTo(evaluated, within(0.005 * evaluated));
    }
  }

  /** The divisors of Llama 3's frequencies, in a context beyond the one they stretch. */
  @Test
  void stretchedFrequenciesAreRead() throws IOException {
    Path model = temporary.resolve("stretched");
    Files.createDirectories(model);
    try (Stream<Path> files = Files.list(SampleFiles.FOLDER)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    SampleFiles.replace(
        model.resolve("config.json"),
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 4.0, \"low_freq_factor\": 1.0,"
            + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 64}");
    Path output = compress(model, "--algorithm=rtn", "--format=compressed-tensors");
    try (LlamaCpp llama = new LlamaCpp(output.resolve("stretched-Q4_0.gguf"), WINDOW)) {
      List<int[]> windows = LlamaCppAgreement.heldOut(llama, model);
      LlamaCppAgreement.check(llama, output, windows);
      // Not for nothing: without the divisors the model is another.
      double stretched = LlamaCppAgreement.perplexity(windows, llama.tokens(), llama::logits);
      Path plain = compress(SampleFiles.FOLDER, "--algorithm=rtn");
      try (LlamaCpp other = new LlamaCpp(plain.resolve("sample-llama-Q4_0.gguf"), WINDOW)) {
        assertThat(LlamaCppAgreement.perplexity(windows, other.tokens(), other::logits))
            .isLessThan(0.9 * stretched);
      }
    }
  }

  /** Biases, orders of rows, and a head of its own. The library is older than Qwen3. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "QWEN3")
  void familiesComputeTheSame(FamilyVariant family) throws IOException {
    String name = family.name().toLowerCase(Locale.ROOT);
    Path model = family.write(temporary.resolve(name));
    Path output =
        compress(
            model,
            "--algorithm=rtn",
            "--scheme=W8A16",
            "--group-size=32",
            "--format=compressed-tensors");
    try (LlamaCpp llama = new LlamaCpp(output.resolve(name + "-Q8_0.gguf"), WINDOW)) {
      LlamaCppAgreement.check(llama, output, LlamaCppAgreement.heldOut(llama, model));
    }
  }

  /** llama.cpp finds the other files by the first one's name. */
  @Test
  void splitFilesAreOneModel() throws IOException {
    Path output =
        compress(
            SampleFiles.FOLDER,
            "--algorithm=rtn",
            "--gguf-split-size=900K",
            "--format=compressed-tensors");
    Path first;
    try (Stream<Path> files = Files.list(output)) {
      first = files.filter(f -> f.toString().endsWith(".gguf")).sorted().findFirst().orElseThrow();
    }
    assertThat(first.getFileName().toString()).startsWith("sample-llama-Q4_0-00001-of-0000");
    try (LlamaCpp llama = new LlamaCpp(first, WINDOW)) {
      LlamaCppAgreement.check(llama, output, LlamaCppAgreement.heldOut(llama, SampleFiles.FOLDER));
    }
  }

  /** Pieces of characters, merged by score, with bytes for what is not among them. */
  @Test
  void characterTokenizersCutTextAlike() throws Exception {
    Path model = temporary.resolve("characters");
    Files.createDirectories(model);
    try (Stream<Path> files = Files.list(SampleFiles.FOLDER)) {
      for (Path file : files.toList()) {
        if (!file.getFileName().toString().startsWith("tokenizer")) {
          Files.copy(file, model.resolve(file.getFileName()));
        }
      }
    }
    StringBuilder text = new StringBuilder();
    for (String line :
        Files.readAllLines(SampleFiles.FOLDER.resolve("calibration.jsonl")).subList(0, 200)) {
      text.append(new JsonMapper().readTree(line).get("text").asText()).append(' ');
    }
    Files.writeString(
        model.resolve("tokenizer.json"), CharacterTokenizer.learn(text.toString(), 300));
    SampleFiles.replace(model.resolve("config.json"), "\"bos_token_id\": 0", "\"bos_token_id\": 1");
    SampleFiles.replace(model.resolve("config.json"), "\"eos_token_id\": 1", "\"eos_token_id\": 2");
    Path output = compress(model, "--algorithm=rtn");
    try (LlamaCpp llama = new LlamaCpp(output.resolve("characters-Q4_0.gguf"), WINDOW);
        TokenizerFile tokenizer =
            TokenizerFile.load(
                new org.apache.hadoop.fs.Path(model.toString()), new Configuration())) {
      List<String> texts =
          new ArrayList<>(List.of("", " ", "  two  spaces ", "naïve ☃ café\t\n🙂"));
      for (String line :
          Files.readAllLines(SampleFiles.FOLDER.resolve("heldout.jsonl")).subList(0, 300)) {
        texts.add(new JsonMapper().readTree(line).get("text").asText());
      }
      for (String one : texts) {
        assertThat(llama.tokenize(one)).as(one).isEqualTo(tokenizer.encode(one));
      }
    }
  }

  /** The model in full precision with the weights that the blocks of a file stand for. */
  private Path dense(GgufReader gguf, Path original) throws IOException {
    Path folder = temporary.resolve("dense");
    Files.createDirectories(folder);
    Map<String, String> names =
        Map.of(
            "q_proj", "attn_q",
            "k_proj", "attn_k",
            "v_proj", "attn_v",
            "o_proj", "attn_output",
            "gate_proj", "ffn_gate",
            "up_proj", "ffn_up",
            "down_proj", "ffn_down",
            "input_layernorm", "attn_norm",
            "post_attention_layernorm", "ffn_norm",
            "embed_tokens", "token_embd");
    List<Tensor> tensors = new ArrayList<>();
    for (Tensor tensor : SampleFiles.tensors().values()) {
      String[] parts = tensor.name().split("\\.");
      String last = parts[parts.length - 2];
      String name = names.getOrDefault(last, "output_norm") + ".weight";
      if (parts[1].equals("layers")) {
        name = "blk." + parts[2] + "." + name;
      }
      float[] weights = gguf.tensors().get(name).weights();
      int columns = weights.length / tensor.shape().get(0).intValue();
      ByteBuffer bytes = ByteBuffer.allocate(4 * weights.length).order(ByteOrder.LITTLE_ENDIAN);
      boolean turned = last.equals("q_proj") || last.equals("k_proj");
      for (int row = 0; row < weights.length / columns; row++) {
        // Hugging Face's row h·32 + i·16 + j is the file's h·32 + 2j + i.
        int from = turned ? row / 32 * 32 + row % 16 * 2 + row % 32 / 16 : row;
        for (int i = 0; i < columns; i++) {
          bytes.putFloat(weights[from * columns + i]);
        }
      }
      tensors.add(new Tensor(tensor.name(), "F32", tensor.shape(), "", 0, bytes.array()));
    }
    SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors);
    for (String file : List.of("config.json", "tokenizer.json")) {
      Files.copy(original.resolve(file), folder.resolve(file));
    }
    return folder;
  }
}
