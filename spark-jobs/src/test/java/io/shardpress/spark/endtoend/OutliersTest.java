package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.Published.Weight;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import io.shardpress.spark.job.PlannedCompression;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** EasyQuant's outliers, beside the integers: what is published, and that it reads back. */
class OutliersTest {
  @TempDir static Path shared;

  private static Path model;
  private static Path output;
  private static Published kept;
  private static Published without;
  private static String warnings;

  @BeforeAll
  static void compress() throws IOException {
    model = SmallModel.write(shared.resolve("model"));
    output = shared.resolve("kept");
    CommandRun run = compress("EasyQuantModifier: {scheme: W4A16, outliers: true}", output);
    kept = new Published(output);
    assertThat(run.line()).isEqualTo(kept.treeHash());
    warnings = run.err();
    Path other = shared.resolve("without");
    compress("EasyQuantModifier: {scheme: W4A16}", other);
    without = new Published(other);
  }

  private static CommandRun compress(String modifier, Path output, String... more)
      throws IOException {
    Path recipe = Files.writeString(shared.resolve("recipe.yaml"), modifier + "\n");
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString()));
    words.addAll(List.of("--recipe=" + recipe, "--master=local[2]"));
    words.addAll(List.of(more));
    CommandRun run = CommandRun.of(words.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  /** |w − mean| ≥ 3σ of the whole tensor, in f64 and two passes, and no bit of them is changed. */
  @Test
  void theyAreThosePublishedRulesSayBitForBit() {
    int all = 0;
    for (Tensor tensor : quantized()) {
      float[] w = tensor.bf16();
      double mean = 0;
      for (float value : w) {
        mean += (double) value / w.length;
      }
      double variance = 0;
      for (float value : w) {
        variance += (value - mean) * (value - mean) / w.length;
      }
      List<Integer> wanted = new ArrayList<>();
      for (int i = 0; i < w.length; i++) {
        if (Math.abs(w[i] - mean) >= 3 * Math.sqrt(variance)) {
          wanted.add(i);
        }
      }
      String module = module(tensor);
      Tensor indices = kept.tensors().get(module + ".weight_outlier_indices");
      Tensor values = kept.tensors().get(module + ".weight_outlier_values");
      assertThat(indices.dtype()).isEqualTo("I32");
      assertThat(indices.shape()).containsExactly((long) wanted.size());
      assertThat(values.dtype()).isEqualTo(tensor.dtype());
      assertThat(values.shape()).isEqualTo(indices.shape());
      Weight[] found = kept.dequantize(module, 4, out(tensor), in(tensor));
      for (int i = 0; i < wanted.size(); i++) {
        int place = wanted.get(i);
        assertThat(indices.ints().get(i)).isEqualTo(place);
        assertThat(Arrays.copyOfRange(values.bytes(), 2 * i, 2 * i + 2))
            .isEqualTo(Arrays.copyOfRange(tensor.bytes(), 2 * place, 2 * place + 2));
        assertThat(found[place].value()).isEqualTo(w[place]);
      }
      all += wanted.size();
    }
    assertThat(all).isPositive();
  }

  /** Readers of the stock formats are to refuse the file, not to read it without its outliers. */
  @Test
  void configCardAndWarningSayThatItIsNoStockFormat() throws IOException {
    JsonNode config = kept.config().get("quantization_config");
    assertThat(config.get("format").asText()).isEqualTo("pack-quantized-outliers");
    assertThat(config.at("/config_groups/group_0/format").asText())
        .isEqualTo("pack-quantized-outliers");
    assertThat(Files.readString(output.resolve("README.md")))
        .contains("neither vLLM nor Transformers")
        .doesNotContain("vllm serve");
    assertThat(warnings).contains("warning: neither vLLM nor Transformers loads outliers");
    JsonNode stock = without.config().get("quantization_config");
    assertThat(stock.get("format").asText()).isEqualTo("pack-quantized");
    assertThat(without.tensors().keySet()).noneMatch(name -> name.contains("outlier"));
  }

  @Test
  void theReportCountsThem() throws IOException {
    Map<String, JsonNode> layers = layers(kept);
    Map<String, JsonNode> others = layers(without);
    double error = 0;
    double other = 0;
    for (Tensor tensor : quantized()) {
      JsonNode layer = layers.get(module(tensor));
      long count =
          kept.tensors().get(module(tensor) + ".weight_outlier_indices").shape().get(0).longValue();
      assertThat(layer.get("outliers").asLong()).isEqualTo(count);
      // 4 bits, a scale of 16 for 128 weights, and 32 + 16 for each outlier.
      double bits = 4 + 16.0 / 128 + 48.0 * count / (tensor.bytes().length / 2.0);
      assertThat(layer.get("bits").asDouble()).isCloseTo(bits, within(1e-9));
      double wanted = error(tensor);
      assertThat(layer.get("weight_error").asDouble()).isCloseTo(wanted, within(1e-6 * wanted));
      error += wanted;
      other += others.get(module(tensor)).get("weight_error").asDouble();
      assertThat(others.get(module(tensor)).has("outliers")).isFalse();
    }
    assertThat(error).isLessThan(other);
  }

  private static double error(Tensor tensor) {
    float[] w = tensor.bf16();
    Weight[] found = kept.dequantize(module(tensor), 4, out(tensor), in(tensor));
    double error = 0;
    double weights = 0;
    for (int i = 0; i < w.length; i++) {
      error += Math.pow((double) found[i].value() - w[i], 2);
      weights += (double) w[i] * w[i];
    }
    return error / weights;
  }

  private static Map<String, JsonNode> layers(Published published) throws IOException {
    Map<String, JsonNode> layers = new HashMap<>();
    for (String line : Files.readAllLines(published.folder().resolve("report/layers.jsonl"))) {
      JsonNode layer = new JsonMapper().readTree(line);
      layers.put(layer.get("module").asText(), layer);
    }
    return layers;
  }

  /** Headers do not tell how many there are: as many as a normal distribution would have. */
  @Test
  void thePlanCountsTheirBytes() throws IOException {
    Path recipe = shared.resolve("plan.yaml");
    String modifier = "EasyQuantModifier: {scheme: W4A16, outliers: true}\n";
    Files.writeString(recipe, modifier);
    CommandRun plan = CommandRun.of("plan", model.toString(), "--recipe=" + recipe);
    assertThat(plan.out()).contains("easyquant W4A16 group 128 outliers kept");
    long bytes = 0;
    for (Tensor tensor : quantized()) {
      bytes += Math.round(0.0027 * tensor.bytes().length / 2) * (4 + 2);
    }
    long more = planned(modifier) - planned("EasyQuantModifier: {scheme: W4A16}\n");
    assertThat((double) more).isCloseTo((double) bytes, within(0.01 * bytes));
  }

  private static long planned(String modifier) {
    return PlannedCompression.of(
            Checkpoint.open(model.toString(), new Configuration()),
            Recipe.parse("recipe", modifier),
            OutputChoice.DEFAULT)
        .outputBytes();
  }

  @Test
  void evaluateReadsThem() throws IOException {
    Path dense = kept.writeDense(shared.resolve("dense"), model, 4);
    CommandRun run =
        CommandRun.of(
            "evaluate",
            dense.toString(),
            output.toString(),
            "--text=" + model.resolve("calibration.jsonl"),
            "--samples=8",
            "--sequence-length=32",
            "--master=local[2]",
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode kl = new JsonMapper().readTree(run.out()).get("kl");
    assertThat(kl.get("max").asDouble()).isZero();
  }

  /** Behind a transform they are what it made of the weights, scaled by column, in its dtype. */
  @Test
  void behindSmoothQuantTheyAreThoseOfScaledWeights() throws IOException {
    Path smoothed = shared.resolve("smoothed");
    compress(
        "[{SmoothQuantModifier: {}}, {EasyQuantModifier: {scheme: W4A16, outliers: true}}]",
        smoothed,
        "--samples=16",
        "--sequence-length=32");
    Map<String, Tensor> found = new Published(smoothed).tensors();
    Map<Integer, Double> scales = new HashMap<>();
    int compared = 0;
    for (String role : List.of("q", "k", "v")) {
      String module = "model.layers.0.self_attn." + role + "_proj";
      Tensor original = SampleFiles.tensors().get(module + ".weight");
      float[] w = original.bf16();
      Tensor values = found.get(module + ".weight_outlier_values");
      assertThat(values.dtype()).isEqualTo("F32");
      FloatBuffer kept =
          ByteBuffer.wrap(values.bytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      IntBuffer places = found.get(module + ".weight_outlier_indices").ints();
      for (int i = 0; i < kept.limit(); i++) {
        double scale = (double) kept.get(i) / w[places.get(i)];
        Double other = scales.putIfAbsent(places.get(i) % in(original), scale);
        if (other != null) {
          assertThat(scale).isCloseTo(other, within(1e-6 * other));
          compared++;
        }
      }
    }
    assertThat(compared).isPositive();
    assertThat(new HashSet<>(scales.values())).hasSizeGreaterThan(1);
  }

  private static List<Tensor> quantized() {
    List<Tensor> quantized =
        SampleFiles.tensors().values().stream()
            .filter(tensor -> kept.tensors().containsKey(module(tensor) + ".weight_packed"))
            .toList();
    assertThat(quantized).hasSize(14);
    return quantized;
  }

  private static String module(Tensor tensor) {
    return tensor.name().replaceAll("\\.weight$", "");
  }

  private static int out(Tensor tensor) {
    return tensor.shape().get(0).intValue();
  }

  private static int in(Tensor tensor) {
    return tensor.shape().get(1).intValue();
  }
}
