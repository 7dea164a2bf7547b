package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.Published.Weight;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** GGUF files, read by the format's definition, against the safetensors of the same run. */
class GgufOutputTest {
  private static final Map<String, String> IN_GGUF =
      Map.of(
          "self_attn.q_proj", "attn_q",
          "self_attn.k_proj", "attn_k",
          "self_attn.v_proj", "attn_v",
          "self_attn.o_proj", "attn_output",
          "mlp.gate_proj", "ffn_gate",
          "mlp.up_proj", "ffn_up",
          "mlp.down_proj", "ffn_down",
          "input_layernorm", "attn_norm",
          "post_attention_layernorm", "ffn_norm");
  private static final int HEAD_DIM = 32;

  @TempDir Path temporary;
  private Path model;
  private Path output;

  @BeforeEach
  void small() throws IOException {
    model = SmallModel.write(temporary.resolve("small.model"));
    output = temporary.resolve("output");
  }

  private CommandRun compress(String... more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString(), "--master=local[2]"));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }

  /** The file's weights are those that the safetensors stand for, bit for bit, rows in order. */
  @ParameterizedTest
  @CsvSource({
    "rtn,W4A16,128,4,Q4_0,2",
    "gptq,W4A16,32,4,Q4_0,2",
    "rtn,W4A16,channel,4,Q4_0,2",
    "gptq,W8A16,64,8,Q8_0,8",
    "rtn,W8A16,channel,8,Q8_0,8"
  })
  void holdsWhatWasLearned(
      String algorithm, String scheme, String group, int bits, String type, int number)
      throws IOException {
    CommandRun run =
        compress(
            "--algorithm=" + algorithm,
            "--scheme=" + scheme,
            "--group-size=" + group,
            "--samples=8",
            "--sequence-length=64",
            "--format=compressed-tensors",
            "--format=gguf");
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    assertThat(run.line()).isEqualTo(published.treeHash());
    String file = "small.model-" + type + ".gguf";
    assertThat(published.files()).contains(file, "model.safetensors", "report/gguf.jsonl");
    GgufReader gguf = new GgufReader(output.resolve(file));
    int learned = 0;
    for (JsonNode entry : published.manifest().get("tensors")) {
      String name = entry.get("name").asText();
      GgufReader.Tensor tensor = gguf.tensors().get(inGguf(name));
      assertThat(entry.get("outputs").toString()).contains("\"" + inGguf(name) + "\"");
      if (entry.get("action").asText().equals("copy")) {
        assertThat(tensor.type()).isEqualTo(tensor.shape().size() == 1 ? 0 : 30);
        assertThat(tensor.weights()).as(name).isEqualTo(published.tensors().get(name).bf16());
      } else {
        assertThat(tensor.type()).as(name).isEqualTo(number);
        float[] wanted = weights(published, name, bits, tensor.shape());
        assertThat(tensor.weights()).as(name).isEqualTo(wanted);
        learned++;
      }
    }
    assertThat(learned).isEqualTo(14);
    assertThat(gguf.tensors()).hasSize(published.manifest().get("tensors").size());
    assertThat(Files.readAllLines(output.resolve("report/gguf.jsonl")))
        .hasSize(14)
        .allMatch(line -> line.contains("\"rounding_max\":0"));
    checkKeys(gguf, number == 2 ? 2 : 7);
  }

  /** Q4_1's minimum is the nearest f16 to −zero·scale; integers and scales are as learned. */
  @Test
  void minimumsAreRoundedOnceAndTold() throws IOException {
    CommandRun run =
        compress(
            "--algorithm=rtn",
            "--scheme=W4A16_ASYM",
            "--group-size=32",
            "--format=gguf",
            "--format=compressed-tensors");
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    GgufReader gguf = new GgufReader(output.resolve("small.model-Q4_1.gguf"));
    double largest = 0;
    for (JsonNode entry : published.manifest().get("tensors")) {
      String name = entry.get("name").asText();
      GgufReader.Tensor tensor = gguf.tensors().get(inGguf(name));
      if (entry.get("action").asText().equals("copy")) {
        continue;
      }
      assertThat(tensor.type()).isEqualTo(3);
      int out = tensor.shape().get(0).intValue();
      int in = tensor.shape().get(1).intValue();
      String module = name.substring(0, name.length() - ".weight".length());
      Weight[] learned = published.dequantize(module, 4, out, in);
      float[] found = tensor.weights();
      int[] order = order(name, out);
      double ofTensor = 0;
      for (int i = 0; i < found.length; i++) {
        Weight wanted = learned[order[i / in] * in + i % in];
        double error = Math.abs((double) found[i] - wanted.value()) / wanted.step();
        ofTensor = Math.max(ofTensor, error);
      }
      // m is at most 15 steps, and f16 has 11 bits of it; the sum here is rounded to f32.
      assertThat(ofTensor).as(name).isLessThan(15 * 0x1p-11 + 1e-5);
      JsonNode line = reported(inGguf(name));
      assertThat(line.get("type").asText()).isEqualTo("Q4_1");
      assertThat(Math.abs(line.get("rounding_max").asDouble() - ofTensor)).isLessThan(1e-5);
      assertThat(line.get("rounding_rms").asDouble())
          .isLessThanOrEqualTo(line.get("rounding_max").asDouble());
      largest = Math.max(largest, ofTensor);
    }
    assertThat(largest).as("cost of some minimum").isGreaterThan(0.0005);
  }

  /** Each split has some tensors, the first the metadata, and all of them every tensor once. */
  @Test
  void largeModelsAreSplit() throws IOException {
    assertThat(compress("--algorithm=rtn", "--format=gguf").code()).isZero();
    GgufReader whole = new GgufReader(output.resolve("small.model-Q4_0.gguf"));
    assertThat(new Published(output).files())
        .containsExactly(
            "README.md",
            "recipe.yaml",
            "report/gguf.jsonl",
            "report/layers.jsonl",
            "shardpress.json",
            "small.model-Q4_0.gguf");
    CommandRun run =
        compress("--algorithm=rtn", "--format=gguf", "--gguf-split-size=400K", "--overwrite");
    assertThat(run.code()).as(run.err()).isZero();
    Path[] splits;
    try (Stream<Path> files = Files.list(output)) {
      splits = files.filter(f -> f.toString().endsWith(".gguf")).sorted().toArray(Path[]::new);
    }
    assertThat(splits).hasSizeGreaterThan(2);
    for (int i = 0; i < splits.length; i++) {
      assertThat(splits[i].getFileName().toString())
          .isEqualTo(
              String.format(
                  Locale.ROOT, "small.model-Q4_0-%05d-of-%05d.gguf", i + 1, splits.length));
      Map<String, Object> keys = new GgufReader(splits[i]).metadata();
      assertThat(keys)
          .containsEntry("split.no", i)
          .containsEntry("split.count", splits.length)
          .containsEntry("split.tensors.count", whole.tensors().size());
      assertThat(keys.containsKey("tokenizer.ggml.tokens")).isEqualTo(i == 0);
    }
    GgufReader all = new GgufReader(splits);
    assertThat(all.tensors().keySet()).isEqualTo(whole.tensors().keySet());
    whole
        .tensors()
        .forEach(
            (name, tensor) ->
                assertThat(all.tensors().get(name).bytes()).as(name).isEqualTo(tensor.bytes()));
  }

  /** Whoever wants to measure a file learns how. */
  @Test
  void filesAloneAreNotRead() {
    assertThat(compress("--algorithm=rtn", "--format=gguf").code()).isZero();
    CommandRun run =
        CommandRun.of(
            "evaluate",
            model.toString(),
            output.toString(),
            "--text=" + SampleFiles.FOLDER.resolve("heldout.jsonl"),
            "--master=local[2]");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("small.model-Q4_0.gguf", "--format compressed-tensors");
  }

  /** Rows that a type's blocks do not divide stay as they are; blocks share a warning. */
  @Test
  void narrowRowsKeepTheirType() throws IOException {
    SampleFiles.replace(
        model.resolve("config.json"), "\"intermediate_size\": 512", "\"intermediate_size\": 336");
    List<Tensor> tensors = new ArrayList<>();
    for (Tensor tensor : SampleFiles.read(model, "model.safetensors")) {
      long rows = tensor.shape().get(0);
      if (tensor.name().matches(".*(gate|up)_proj.*")) {
        byte[] bytes = Arrays.copyOf(tensor.bytes(), 336 * 256 * 2);
        tensors.add(new Tensor(tensor.name(), "BF16", List.of(336L, 256L), "", 0, bytes));
      } else if (tensor.name().contains("down_proj")) {
        byte[] bytes = Arrays.copyOf(tensor.bytes(), (int) rows * 336 * 2);
        tensors.add(new Tensor(tensor.name(), "BF16", List.of(rows, 336L), "", 0, bytes));
      } else {
        tensors.add(tensor);
      }
    }
    SafetensorsWriter.write(model.resolve("model.safetensors"), tensors);
    CommandRun run =
        compress("--algorithm=rtn", "--ignore=re:.*down_proj", "--format=gguf", "--gguf-type=Q6_K");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err())
        .contains("warning: 2 x model.layers.*.mlp.down_proj.weight: BF16 in GGUF", "rows of 336");
    Map<String, GgufReader.Tensor> found =
        new GgufReader(output.resolve("small.model-Q4_0.gguf")).tensors();
    assertThat(found.get("blk.1.ffn_down.weight").type()).isEqualTo(30);
    assertThat(found.get("token_embd.weight").type()).isEqualTo(14);
    CommandRun learned =
        CommandRun.of(
            "plan", model.toString(), "--algorithm=rtn", "--format=gguf", "--group-size=channel");
    assertThat(learned.errors())
        .singleElement()
        .asString()
        .contains("model.layers.0.mlp.down_proj", "its 336 inputs are no multiple", "of 32");
  }

  /** What nothing is learned for: near to the weights, and in the type that was asked for. */
  @ParameterizedTest
  @CsvSource({"F16,1,0.0005", "Q8_0,8,0.007", "Q6_K,14,0.025", "Q4_K,12,0.1"})
  void matricesThatAreLeftAloneAreRounded(String type, int number, double error)
      throws IOException {
    CommandRun run =
        compress(
            "--algorithm=rtn", "--targets=re:.*k_proj", "--format=gguf", "--gguf-type=" + type);
    assertThat(run.code()).as(run.err()).isZero();
    GgufReader gguf = new GgufReader(output.resolve("small.model-" + type + ".gguf"));
    Map<String, Tensor> inputs = SampleFiles.tensors();
    for (String name :
        List.of("model.embed_tokens.weight", "model.layers.1.self_attn.q_proj.weight")) {
      GgufReader.Tensor tensor = gguf.tensors().get(inGguf(name));
      assertThat(tensor.type()).isEqualTo(number);
      float[] wanted = inOrder(name, inputs.get(name).bf16(), tensor.shape());
      float[] found = tensor.weights();
      double squares = 0;
      double errors = 0;
      for (int i = 0; i < found.length; i++) {
        squares += (double) wanted[i] * wanted[i];
        errors += (double) (wanted[i] - found[i]) * (wanted[i] - found[i]);
      }
      assertThat(Math.sqrt(errors / squares)).as("%s as %s", name, type).isLessThan(error);
    }
  }

  @Test
  void stretchedFrequenciesHaveDivisors() throws IOException {
    SampleFiles.replace(
        model.resolve("config.json"),
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
            + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 64}");
    assertThat(compress("--algorithm=rtn", "--format=gguf").code()).isZero();
    GgufReader.Tensor divisors =
        new GgufReader(output.resolve("small.model-Q4_0.gguf")).tensors().get("rope_freqs.weight");
    assertThat(divisors.type()).isZero();
    float[] found = divisors.weights();
    assertThat(found).hasSize(HEAD_DIM / 2);
    for (int i = 0; i < found.length; i++) {
      double wavelength = 2 * Math.PI * Math.pow(10_000, 2.0 * i / HEAD_DIM);
      double wanted;
      if (wavelength < 64 / 4.0) {
        wanted = 1;
      } else if (wavelength > 64) {
        wanted = 8;
      } else {
        double s = (64 / wavelength - 1) / 3;
        wanted = 1 / ((1 - s) / 8 + s);
      }
      assertThat((double) found[i]).as("divisor %d", i).isCloseTo(wanted, within(1e-6 * wanted));
    }
    assertThat(found).contains(1f, 8f);
  }

  @ParameterizedTest
  @CsvSource({
    "--scheme=W2A16, model.layers.0.mlp.down_proj.weight, scales of few bits",
    "--scheme=W3A16_ASYM, model.layers.0, use W4A16",
    "--scheme=W8A16_ASYM, no type of 8 bits with zero points, W8A16",
    "--scheme=W8A8, no place for quantized inputs, W8A16",
    "--scheme=W4A8KV8, no scales of a cache, W4A16",
    "--group-size=16, groups of 16 are no multiple, 32"
  })
  void whatDoesNotFitIsRefusedInThePlan(String option, String found, String wanted) {
    CommandRun run = compress("--algorithm=rtn", "--format=gguf", option);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("GGUF", found, wanted);
    assertThat(output).doesNotExist();
    CommandRun plan =
        CommandRun.of("plan", model.toString(), "--algorithm=rtn", "--format=gguf", option);
    assertThat(plan.errors()).isEqualTo(run.errors());
  }

  @Test
  void tokenizersThatAreUnknownThereAreRefused() throws IOException {
    SampleFiles.replace(
        model.resolve("tokenizer.json"), "\"use_regex\": true", "\"use_regex\": false");
    CommandRun run = compress("--algorithm=rtn", "--format=gguf");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .singleElement()
        .asString()
        .contains("tokenizer.json", "pre_tokenizer", "ByteLevel", "llama-bpe");
    Files.delete(model.resolve("tokenizer.json"));
    CommandRun none = compress("--algorithm=rtn", "--format=gguf");
    assertThat(none.errors()).singleElement().asString().contains("there is no", "tokenizer.json");
    assertThat(output).doesNotExist();
  }

  /** Qwen's heads turn their halves in llama.cpp, too: no row changes its place. */
  @ParameterizedTest
  @EnumSource(names = {"QWEN2", "QWEN3"})
  void otherArchitecturesKeepTheOrderOfRows(FamilyVariant family) throws IOException {
    String name = family.name().toLowerCase(Locale.ROOT);
    model = family.write(temporary.resolve(name));
    CommandRun run =
        compress(
            "--algorithm=rtn",
            "--scheme=W8A16",
            "--group-size=32",
            "--format=compressed-tensors",
            "--format=gguf");
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    GgufReader gguf = new GgufReader(output.resolve(name + "-Q8_0.gguf"));
    boolean wide = family == FamilyVariant.QWEN2;
    for (String which : List.of("q", "k")) {
      GgufReader.Tensor tensor = gguf.tensors().get("blk.3.attn_" + which + ".weight");
      int out = (wide ? 2 : 1) * (which.equals("q") ? 128 : 64);
      assertThat(tensor.shape()).containsExactly((long) out, 256L);
      String module = "model.layers.3.self_attn." + which + "_proj";
      Weight[] learned = published.dequantize(module, 8, out, 256);
      float[] found = tensor.weights();
      for (int i = 0; i < found.length; i++) {
        if (found[i] != learned[i].value()) {
          assertThat(found[i]).as("%s[%d]", module, i).isEqualTo(learned[i].value());
        }
      }
      String norm = "model.layers.3.self_attn." + which + "_norm.weight";
      String more = wide ? module + ".bias" : norm;
      String moreName = "blk.3.attn_" + which + (wide ? ".bias" : "_norm.weight");
      assertThat(gguf.tensors().get(moreName).type()).isZero();
      assertThat(gguf.tensors().get(moreName).weights())
          .isEqualTo(published.tensors().get(more).bf16());
    }
    assertThat(gguf.metadata())
        .containsEntry("general.architecture", name)
        .containsEntry(name + ".attention.head_count", wide ? 8 : 4)
        .containsEntry(name + ".attention.head_count_kv", wide ? 4 : 2)
        .containsEntry(name + ".rope.dimension_count", 32);
    // Only where heads are not as wide as the stream.
    assertThat(gguf.metadata().get(name + ".attention.key_length")).isEqualTo(wide ? null : 32);
    assertThat(gguf.metadata().get(name + ".attention.value_length")).isEqualTo(wide ? null : 32);
  }

  /** What the architecture has no place for, or another one. */
  @Test
  void architecturesKnowTheirTensors() throws IOException {
    SampleFiles.replace(
        model.resolve("config.json"),
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"rope_type\": \"ntk\", \"factor\": 4.0}");
    CommandRun ntk = compress("--algorithm=rtn", "--format=gguf");
    assertThat(ntk.code()).isEqualTo(1);
    assertThat(ntk.errors()).singleElement().asString().contains("GGUF", "ntk");
    SampleFiles.replace(model.resolve("config.json"), "\"llama\"", "\"falcon\"");
    CommandRun falcon = compress("--algorithm=rtn", "--format=gguf");
    assertThat(falcon.errors()).singleElement().asString().contains("GGUF", "falcon");
    assertThat(output).doesNotExist();
  }

  @Test
  void thePlanSaysWhatEachTensorBecomes() {
    CommandRun run =
        CommandRun.of(
            "plan",
            model.toString(),
            "--algorithm=rtn",
            "--ignore=re:.*o_proj",
            "--format=compressed-tensors",
            "--format=gguf",
            "--gguf-type=Q6_K");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("gguf: small.model-Q4_0.gguf, tensors: 5 F32, 12 Q4_0, 3 Q6_K\n")
        .containsPattern("2 x model\\.layers\\.\\*\\.mlp\\.up_proj.*W4A16.*, Q4_0 in GGUF\n")
        .containsPattern("2 x model\\.layers\\.\\*.*o_proj.*copy.*, Q6_K in GGUF\n")
        .containsPattern("1 x model\\.norm.*, F32 in GGUF\n");
  }

  /** Parts of one run serve another; what is published is the same, and verify holds it. */
  @Test
  void partsServeAgain() throws IOException {
    String[] words = {
      "--algorithm=rtn",
      "--format=gguf",
      "--format=compressed-tensors",
      "--work=" + temporary.resolve("work")
    };
    CommandRun first = compress(words);
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(first.line()).isEqualTo(new Published(output).treeHash());
    Path file = output.resolve("small.model-Q4_0.gguf");
    byte[] bytes = Files.readAllBytes(file);
    assertThat(output.resolve(".shardpress")).doesNotExist();
    assertThat(CommandRun.of("verify", output.toString()).line()).isEqualTo(first.line());
    SampleFiles.poke(file, bytes.length - 100, (byte) ~bytes[bytes.length - 100]);
    CommandRun damaged = CommandRun.of("verify", output.toString());
    assertThat(damaged.code()).isEqualTo(1);
    assertThat(damaged.errors().toString()).contains("small.model-Q4_0.gguf");
    output = temporary.resolve("other");
    CommandRun second = compress(words);
    assertThat(second.err()).contains("units run: none");
    assertThat(second.line()).isEqualTo(first.line());
    assertThat(output.resolve("small.model-Q4_0.gguf")).hasBinaryContent(bytes);
  }

  private static void checkKeys(GgufReader gguf, int fileType) {
    assertThat(gguf.metadata())
        .containsEntry("general.architecture", "llama")
        .containsEntry("general.type", "model")
        .containsEntry("general.name", "small.model")
        .containsEntry("general.file_type", fileType)
        .containsEntry("general.quantization_version", 2)
        .containsEntry("llama.context_length", 256)
        .containsEntry("llama.embedding_length", 256)
        .containsEntry("llama.block_count", 2)
        .containsEntry("llama.feed_forward_length", 512)
        .containsEntry("llama.attention.head_count", 8)
        .containsEntry("llama.attention.head_count_kv", 4)
        .containsEntry("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .containsEntry("llama.rope.freq_base", 10000f)
        .containsEntry("llama.rope.dimension_count", 32)
        .containsEntry("llama.vocab_size", 768)
        .containsEntry("tokenizer.ggml.model", "gpt2")
        .containsEntry("tokenizer.ggml.pre", "gpt-2")
        .containsEntry("tokenizer.ggml.bos_token_id", 0)
        .containsEntry("tokenizer.ggml.eos_token_id", 1)
        .containsEntry("tokenizer.ggml.add_bos_token", true)
        .containsEntry("tokenizer.ggml.add_eos_token", false);
    assertThat((List<?>) gguf.metadata().get("tokenizer.ggml.tokens")).hasSize(768);
    assertThat((List<?>) gguf.metadata().get("tokenizer.ggml.merges")).hasSize(460);
  }

  private JsonNode reported(String tensor) throws IOException {
    for (String line : Files.readAllLines(output.resolve("report/gguf.jsonl"))) {
      JsonNode node = new JsonMapper().readTree(line);
      if (node.get("tensor").asText().equals(tensor)) {
        return node;
      }
    }
    throw new AssertionError(tensor + " is not in the report");
  }

  private static String inGguf(String name) {
    String[] parts = name.split("\\.");
    if (!parts[1].equals("layers")) {
      return parts[1].equals("norm") ? "output_norm.weight" : "token_embd.weight";
    }
    String module = String.join(".", Arrays.copyOfRange(parts, 3, parts.length - 1));
    return "blk." + parts[2] + "." + IN_GGUF.get(module) + ".weight";
  }

  private static float[] weights(Published published, String name, int bits, List<Long> shape) {
    int out = shape.get(0).intValue();
    int in = shape.get(1).intValue();
    String module = name.substring(0, name.length() - ".weight".length());
    Weight[] learned = published.dequantize(module, bits, out, in);
    float[] values = new float[learned.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = learned[i].value();
    }
    return inOrder(name, values, shape);
  }

  /** The rows as llama.cpp wants them. */
  private static float[] inOrder(String name, float[] rows, List<Long> shape) {
    int in = shape.get(1).intValue();
    int[] order = order(name, shape.get(0).intValue());
    float[] ordered = new float[rows.length];
    for (int row = 0; row < order.length; row++) {
      System.arraycopy(rows, order[row] * in, ordered, row * in, in);
    }
    return ordered;
  }

  /** Row h·D + 2j + i of q and k is Hugging Face's h·D + i·D/2 + j. */
  private static int[] order(String name, int rows) {
    int[] order = new int[rows];
    boolean turned = name.matches(".*\\.[qk]_proj\\..*");
    for (int row = 0; row < rows; row++) {
      int h = row / HEAD_DIM;
      int j = row % HEAD_DIM / 2;
      int i = row % 2;
      order[row] = turned ? h * HEAD_DIM + i * HEAD_DIM / 2 + j : row;
    }
    return order;
  }
}
