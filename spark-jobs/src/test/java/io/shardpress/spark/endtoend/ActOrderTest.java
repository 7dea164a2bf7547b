package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.Published.Weight;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import io.shardpress.spark.text.TokenizerFile;
import io.shardpress.spark.text.Windows;
import java.io.IOException;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What GPTQ publishes when columns are rounded in the order of their importance. */
class ActOrderTest {
  private static final int WINDOWS = 64;
  private static final int WINDOW = 32;
  private static final int GROUP = 32;
  private static final Map<String, List<String>> FUSED =
      Map.of(
          "self_attn.q_proj", List.of("self_attn.k_proj", "self_attn.v_proj"),
          "mlp.gate_proj", List.of("mlp.up_proj"));

  @TempDir static Path shared;
  @TempDir Path temporary;

  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModel.write(shared.resolve("model"));
  }

  private Published compress(String name, String modifier) throws IOException {
    Path recipe = Files.writeString(temporary.resolve(name + ".yaml"), modifier + "\n");
    Path output = temporary.resolve(name);
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            output.toString(),
            "--recipe=" + recipe,
            "--master=local[2]",
            "--samples=" + WINDOWS,
            "--sequence-length=" + WINDOW);
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    assertThat(run.line()).isEqualTo(published.treeHash());
    return published;
  }

  @Test
  void groupsAlongTheOrderAreWrittenWithTheirIndexAndReadBack() throws IOException {
    Published published =
        compress("group", "GPTQModifier: {scheme: W4A16_ASYM, group_size: 32, actorder: group}");
    assertThat(published.config().at("/quantization_config/config_groups/group_0/weights/actorder"))
        .hasToString("\"group\"");
    for (int block = 0; block < 2; block++) {
      String prefix = "model.layers." + block + ".";
      FUSED.forEach(
          (first, others) ->
              others.forEach(
                  // Runtimes fuse these, and keep one index for them.
                  other ->
                      assertThat(published.tensors().get(prefix + other + ".weight_g_idx").bytes())
                          .isEqualTo(
                              published.tensors().get(prefix + first + ".weight_g_idx").bytes())));
    }
    published.tensors().values().stream()
        .filter(tensor -> tensor.name().endsWith(".weight_g_idx"))
        .forEach(ActOrderTest::checkIndex);
    checkOrder(published.tensors().get("model.layers.0.self_attn.q_proj.weight_g_idx"));
    checkErrors(published);
    Path dense = published.writeDense(temporary.resolve("dense"), model, 4);
    CommandRun run =
        CommandRun.of(
            "evaluate",
            dense.toString(),
            temporary.resolve("group").toString(),
            "--text=" + model.resolve("calibration.jsonl"),
            "--samples=8",
            "--sequence-length=" + WINDOW,
            "--master=local[2]",
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode kl = new JsonMapper().readTree(run.out()).get("kl");
    assertThat(kl.get("max").asDouble()).isCloseTo(0, within(1e-9));
  }

  private static void checkIndex(Tensor tensor) {
    assertThat(tensor.dtype()).isEqualTo("I32");
    int in = tensor.shape().get(0).intValue();
    IntBuffer index = tensor.ints();
    int[] columns = new int[in / GROUP];
    for (int i = 0; i < in; i++) {
      columns[index.get(i)]++;
    }
    assertThat(columns).as(tensor.name()).containsOnly(GROUP);
  }

  /** No column counts more than those of the groups before its own: Σx², from its definition. */
  private static void checkOrder(Tensor tensor) throws IOException {
    double[] squares = inputsOfTheFirstBlock();
    IntBuffer index = tensor.ints();
    int groups = squares.length / GROUP;
    double[] least = new double[groups];
    double[] greatest = new double[groups];
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    for (int i = 0; i < squares.length; i++) {
      int group = index.get(i);
      least[group] = Math.min(least[group], squares[i]);
      greatest[group] = Math.max(greatest[group], squares[i]);
    }
    for (int g = 1; g < groups; g++) {
      assertThat(greatest[g]).isLessThanOrEqualTo(least[g - 1] * (1 + 1e-4));
    }
    assertThat(least[0]).isGreaterThan(1.1 * greatest[groups - 1]);
  }

  /** Σ over all tokens of the squares of embedding / rms ∘ w, by channel. */
  private static double[] inputsOfTheFirstBlock() throws IOException {
    Map<String, Tensor> tensors = SampleFiles.tensors();
    float[] norm = tensors.get("model.layers.0.input_layernorm.weight").bf16();
    float[] table = tensors.get("model.embed_tokens.weight").bf16();
    int hidden = norm.length;
    double epsilon =
        new JsonMapper()
            .readTree(Files.readString(model.resolve("config.json")))
            .get("rms_norm_eps")
            .asDouble();
    Configuration hadoop = new Configuration();
    org.apache.hadoop.fs.Path folder = new org.apache.hadoop.fs.Path(model.toUri());
    double[] sums = new double[hidden];
    try (TokenizerFile tokenizer = TokenizerFile.load(folder, hadoop)) {
      org.apache.hadoop.fs.Path text = new org.apache.hadoop.fs.Path(folder, "calibration.jsonl");
      int vocabulary = table.length / hidden;
      Windows windows = Windows.read(text, "text", tokenizer, vocabulary, WINDOWS, WINDOW, hadoop);
      for (int w = 0; w < windows.count(); w++) {
        for (int token : windows.ids(w)) {
          double squares = 0;
          for (int i = 0; i < hidden; i++) {
            squares += (double) table[token * hidden + i] * table[token * hidden + i];
          }
          double rms = Math.sqrt(squares / hidden + epsilon);
          for (int i = 0; i < hidden; i++) {
            sums[i] += Math.pow(table[token * hidden + i] / rms * norm[i], 2);
          }
        }
      }
    }
    return sums;
  }

  /** What the tensors stand for is as far from the model as the report says of what was learned. */
  private void checkErrors(Published published) throws IOException {
    Map<String, Tensor> originals = SampleFiles.tensors();
    for (String line : Files.readAllLines(published.folder().resolve("report/layers.jsonl"))) {
      JsonNode layer = new JsonMapper().readTree(line);
      String module = layer.get("module").asText();
      int out = layer.get("out").asInt();
      int in = layer.get("in").asInt();
      float[] original = originals.get(module + ".weight").bf16();
      Weight[] found = published.dequantize(module, 4, out, in);
      double error = 0;
      double weights = 0;
      for (int i = 0; i < original.length; i++) {
        error += Math.pow((double) found[i].value() - original[i], 2);
        weights += (double) original[i] * original[i];
      }
      double wanted = layer.get("weight_error").asDouble();
      assertThat(error / weights).as(module).isCloseTo(wanted, within(1e-6 * wanted));
      assertThat(wanted).as(module).isBetween(1e-5, 0.05);
    }
  }

  /** The order changes the integers, and nothing that a reader has to know. */
  @Test
  void theStaticOrderLeavesTheFormatAsItIs() throws IOException {
    Published plain = compress("plain", "GPTQModifier: {scheme: W4A16, group_size: 32}");
    Published found =
        compress("static", "GPTQModifier: {scheme: W4A16, group_size: 32, actorder: static}");
    assertThat(found.tensors().keySet()).isEqualTo(plain.tensors().keySet());
    assertThat(found.config().at("/quantization_config/config_groups/group_0/weights/actorder"))
        .hasToString("\"static\"");
    String codes = "model.layers.0.self_attn.q_proj.weight_packed";
    assertThat(found.tensors().get(codes).bytes()).isNotEqualTo(plain.tensors().get(codes).bytes());
    checkErrors(found);
  }

  /** LRQ goes on from GPTQ's result in either order; without descent GPTQ's result is another. */
  @Test
  void settingsOfGptqReachItsJobs() throws IOException {
    String lrq = "LRQModifier: {scheme: W4A16, iterations: 2, scale_iterations: 0, rank: 8%s}";
    Published ordered = compress("ordered", lrq.formatted(", actorder: static"));
    Published plain = compress("plain", lrq.formatted(""));
    Published undescended = compress("undescended", lrq.formatted(", descent_rounds: 0"));
    String scales = "model.layers.0.self_attn.q_proj.weight_scale";
    assertThat(
            List.of(ordered, plain, undescended).stream()
                .map(published -> Published.sha256(published.tensors().get(scales).bytes())))
        .doesNotHaveDuplicates();
    checkErrors(ordered);
    assertThat(plain.recipe()).doesNotContain("actorder", "descent");
  }
}
