package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.Published.Weight;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compressed folders become dense ones: what was published, by its definition, bit for bit. */
class DecompressTest {
  @TempDir static Path shared;
  @TempDir Path temporary;

  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModel.write(shared.resolve("model"));
  }

  /** A group for each stage of both blocks, so that one run has every kind of integers. */
  private static final String ALL_GROUPS =
      """
      QuantizationModifier:
        config_groups:
          a: {targets: ['re:.*0.self_attn.[qkv]'], weights: {num_bits: 4, group_size: 128}}
          b: {targets: ['re:.*0.*o_proj'], weights: {num_bits: 4, symmetric: false, group_size: 32}}
          c: {targets: ['re:.*0.mlp.(gate|up)'], weights: {num_bits: 8, strategy: channel}}
          d: {targets: ['re:.*0.*down'], weights: {num_bits: 3, symmetric: false, group_size: 64}}
          e: {targets: ['re:.*1.self_attn.[qkv]'], weights: {num_bits: 2, strategy: channel}}
          f:
            targets: ['re:.*1.*o_proj']
            weights: {num_bits: 8, strategy: channel}
            input_activations: {num_bits: 8, strategy: token, dynamic: true}
          g:
            targets: ['re:.*1.mlp.(gate|up)']
            weights: {num_bits: 8, symmetric: false, strategy: channel}
            input_activations: {num_bits: 8, symmetric: false, strategy: tensor, dynamic: false}
          h:
            targets: ['re:.*1.*down']
            weights: {num_bits: 4, group_size: 64}
            input_activations: {num_bits: 8, strategy: token, dynamic: true}
      """;

  /** In f32, of every scheme: the numbers that the file stands for, and that the learner said. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        ALL_GROUPS,
        "EasyQuantModifier: {scheme: W4A16, outliers: true}",
        "GPTQModifier: {scheme: W4A16_ASYM, group_size: 32, actorder: group}",
        "LRQModifier: {scheme: W4A16_ASYM, group_size: channel, iterations: 3}",
      })
  void weightsAreWhatTheFileAndTheLearnerSay(String recipe) throws IOException {
    Path compressed = compress(model, "compressed", recipe);
    Path dense = decompress(compressed, "dense", "--dtype=float32");
    Published stored = new Published(compressed);
    Published written = new Published(dense);
    Map<String, Tensor> originals = new TreeMap<>();
    SampleFiles.read(model, "model.safetensors").forEach(t -> originals.put(t.name(), t));
    assertThat(written.tensors().keySet()).isEqualTo(originals.keySet());
    Map<String, JsonNode> reports = reported(compressed);
    for (Tensor original : originals.values()) {
      Tensor tensor = written.tensors().get(original.name());
      assertThat(tensor.shape()).isEqualTo(original.shape());
      String module = original.name().replaceFirst("\\.weight$", "");
      if (!reports.containsKey(module)) {
        assertThat(tensor.dtype()).isEqualTo("BF16");
        assertThat(tensor.bytes()).isEqualTo(original.bytes());
        continue;
      }
      assertThat(tensor.dtype()).isEqualTo("F32");
      float[] found = floats(tensor);
      int bits = reports.get(module).get("scheme").asText().charAt(1) - '0';
      assertThat(found).isEqualTo(stored(stored, module, original, bits));
      double said = reports.get(module).get("weight_error").asDouble();
      // From bf16 to packed int4 in one pass, errors are summed up in f32.
      assertThat(relativeError(original.bf16(), found)).isCloseTo(said, within(1e-6 * said));
    }
  }

  @Test
  void inBfloat16TheyAreRoundedToNearestAndTheFolderIsWhole() throws IOException {
    Path compressed = compress(model, "compressed", "QuantizationModifier: {scheme: W4A8KV8}");
    Files.copy(model.resolve("calibration.jsonl"), compressed.resolve("calibration.jsonl"));
    Path exact = decompress(compressed, "exact", "--dtype=float32");
    Path dense = decompress(compressed, "dense");
    Published wide = new Published(exact);
    Published written = new Published(dense);
    assertThat(written.files())
        .containsExactly(
            "README.md", "config.json", "model.safetensors", "shardpress.json", "tokenizer.json");
    assertThat(Files.readString(dense.resolve("README.md"))).contains("14 weights", "int4", "BF16");
    assertThat(written.config())
        .isEqualTo(new JsonMapper().readTree(Files.readString(model.resolve("config.json"))));
    assertThat(wide.config().get("torch_dtype").asText()).isEqualTo("float32");
    int rounded = 0;
    for (Tensor tensor : wide.tensors().values()) {
      if (tensor.dtype().equals("F32")) {
        float[] bf16 = written.tensors().get(tensor.name()).bf16();
        float[] f32 = floats(tensor);
        for (int i = 0; i < f32.length; i++) {
          assertThat(bf16[i]).isEqualTo(nearestBf16(f32[i]));
        }
        rounded++;
      }
    }
    assertThat(rounded).isEqualTo(14);
    accountIsWhole(new Published(compressed), written);
    CommandRun verified = CommandRun.of("verify", dense.toString());
    assertThat(verified.code()).as(verified.err()).isZero();
    assertThat(verified.line()).isEqualTo(written.treeHash());
  }

  /** What reads a compressed folder as a model reads what decompress makes of it. */
  @Test
  void aCompressedFolderAsModelIsTheDenseOne() throws IOException {
    Path compressed =
        compress(model, "compressed", "QuantizationModifier: {scheme: W8A16, group_size: 64}");
    Path dense = decompress(compressed, "dense");
    String gptq = "GPTQModifier: {scheme: W4A16, group_size: 64}";
    Files.copy(model.resolve("calibration.jsonl"), compressed.resolve("calibration.jsonl"));
    Files.copy(model.resolve("calibration.jsonl"), dense.resolve("calibration.jsonl"));
    Path one = compress(compressed, "one", gptq);
    Path other = compress(dense, "other", gptq);
    for (String file : List.of("model.safetensors", "config.json", "recipe.yaml")) {
      assertThat(one.resolve(file)).hasSameBinaryContentAs(other.resolve(file));
    }
    accountIsWhole(new Published(compressed), new Published(one));
    CommandRun plan = CommandRun.of("plan", compressed.toString(), "--algorithm=rtn");
    assertThat(plan.code()).as(plan.err()).isZero();
    assertThat(plan.out())
        .contains(
            "2 x model.layers.*.mlp.up_proj.weight BF16 [512, 256] (dequantized on read from int8"
                + " in groups of 64 packed)  rtn W4A16 group 128");
    CommandRun list =
        CommandRun.of("inspect", compressed.toString(), "--dequantize", "--statistics");
    CommandRun wanted = CommandRun.of("inspect", dense.toString(), "--statistics");
    assertThat(list.code()).as(list.err()).isZero();
    assertThat(list.out().lines().sorted())
        .containsExactlyElementsOf(wanted.out().lines().sorted().toList());
  }

  /** A change of any of the tensors that a weight is read from changes the parts' names. */
  @Test
  void partsAreNamedAfterAllThatTheyAreReadFrom() throws IOException {
    Path compressed =
        compress(model, "compressed", "QuantizationModifier: {scheme: W4A16_ASYM, group_size: 64}");
    String work = "--work=" + temporary.resolve("work");
    compress(compressed, "first", "QuantizationModifier: {scheme: W8A16}", work);
    String module = "model.layers.1.mlp.up_proj";
    int n = 0;
    for (String suffix : List.of(".weight_packed", ".weight_scale", ".weight_zero_point")) {
      Tensor tensor = new Published(compressed).tensors().get(module + suffix);
      SampleFiles.poke(
          compressed.resolve("model.safetensors"),
          tensor.position(),
          (byte) (tensor.bytes()[0] ^ 1));
      CommandRun plan =
          CommandRun.of(
              "plan", compressed.toString(), "--algorithm=rtn", "--scheme=W8A16", work, "--hash");
      assertThat(plan.code()).as(plan.err()).isZero();
      assertThat(plan.out())
          .contains("13 of 14 tensors are there, 1 to do")
          .contains(module + ": " + module + suffix + " changed");
      compress(compressed, "night" + n++, "QuantizationModifier: {scheme: W8A16}", work);
    }
  }

  @Test
  void whatIsNotQuantizedIsRefused() {
    CommandRun run =
        CommandRun.of("decompress", model.toString(), temporary.resolve("out").toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains("in full precision already");
    assertThat(temporary.resolve("out")).doesNotExist();
  }

  @Test
  void outputFollowsTheRulesOfCompress() throws IOException {
    Path compressed = compress(model, "compressed", "QuantizationModifier: {scheme: W4A16}");
    Path dense = decompress(compressed, "dense");
    CommandRun again = CommandRun.of("decompress", compressed.toString(), dense.toString());
    assertThat(again.code()).isEqualTo(1);
    assertThat(again.errors()).singleElement().asString().contains("found a finished checkpoint");
    Path replaced = decompress(compressed, "dense", "--overwrite", "--dtype=float16");
    assertThat(new Published(replaced).tensors().get("model.layers.0.mlp.up_proj.weight").dtype())
        .isEqualTo("F16");
    Files.createDirectories(temporary.resolve("full"));
    Files.writeString(temporary.resolve("full/notes.txt"), "mine");
    CommandRun full =
        CommandRun.of("decompress", compressed.toString(), temporary.resolve("full").toString());
    assertThat(full.code()).isEqualTo(1);
    assertThat(full.errors()).singleElement().asString().contains("found notes.txt");
  }

  /** Every tensor of the files stands in the manifest, with what became of it. */
  private static void accountIsWhole(Published input, Published output) {
    List<String> accounted = new ArrayList<>();
    for (JsonNode tensor : output.manifest().get("tensors")) {
      accounted.add(tensor.get("name").asText());
      String name = tensor.get("name").asText();
      boolean ofActivations = name.matches(".*\\.(input|k|v)_scale");
      assertThat(tensor.get("action").asText().equals("drop")).as(name).isEqualTo(ofActivations);
      tensor
          .get("outputs")
          .forEach(made -> assertThat(output.tensors()).containsKey(made.asText()));
    }
    assertThat(accounted).containsExactlyInAnyOrderElementsOf(input.tensors().keySet());
  }

  private Path compress(Path from, String name, String recipe, String... more) throws IOException {
    Path file = Files.writeString(temporary.resolve(name + ".yaml"), recipe + "\n");
    Path output = temporary.resolve(name);
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", from.toString(), output.toString(), "--recipe=" + file));
    words.addAll(List.of("--master=local[2]", "--samples=8", "--sequence-length=32"));
    words.addAll(List.of(more));
    CommandRun run = CommandRun.of(words.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return output;
  }

  private Path decompress(Path compressed, String name, String... more) {
    Path output = temporary.resolve(name);
    List<String> words = new ArrayList<>();
    words.addAll(List.of("decompress", compressed.toString(), output.toString()));
    words.add("--master=local[2]");
    words.addAll(List.of(more));
    CommandRun run = CommandRun.of(words.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    return output;
  }

  private static Map<String, JsonNode> reported(Path compressed) throws IOException {
    Map<String, JsonNode> layers = new TreeMap<>();
    for (String line : Files.readAllLines(compressed.resolve("report/layers.jsonl"))) {
      JsonNode layer = new JsonMapper().readTree(line);
      layers.put(layer.get("module").asText(), layer);
    }
    return layers;
  }

  /** (q − zero)·scale by the definitions of the formats. */
  private static float[] stored(Published folder, String module, Tensor original, int bits) {
    int out = original.shape().get(0).intValue();
    int in = original.shape().get(1).intValue();
    float[] values = new float[out * in];
    Tensor integers = folder.tensors().get(module + ".weight");
    if (integers == null) {
      Weight[] weights = folder.dequantize(module, bits, out, in);
      for (int i = 0; i < values.length; i++) {
        values[i] = weights[i].value();
      }
      return values;
    }
    float[] scales = folder.tensors().get(module + ".weight_scale").bf16();
    Tensor zeros = folder.tensors().get(module + ".weight_zero_point");
    int groups = scales.length / out;
    for (int i = 0; i < values.length; i++) {
      int group = i / in * groups + i % in / (in / groups);
      values[i] =
          scales[group] * (integers.bytes()[i] - (zeros == null ? 0 : zeros.bytes()[group]));
    }
    return values;
  }

  private static double relativeError(float[] original, float[] found) {
    double error = 0;
    double weights = 0;
    for (int i = 0; i < original.length; i++) {
      double difference = (double) original[i] - found[i];
      error += difference * difference;
      weights += (double) original[i] * original[i];
    }
    return error / weights;
  }

  private static float[] floats(Tensor tensor) {
    float[] values = new float[tensor.bytes().length / 4];
    ByteBuffer.wrap(tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** By trying both neighbours; between them, the one whose last bit is even. */
  private static float nearestBf16(float value) {
    float below = Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xFFFF0000);
    float above = Float.intBitsToFloat((Float.floatToRawIntBits(value) & 0xFFFF0000) + 0x10000);
    double toBelow = Math.abs((double) value - below);
    double toAbove = Math.abs((double) value - above);
    if (toBelow == toAbove) {
      return (Float.floatToRawIntBits(below) & 0x10000) == 0 ? below : above;
    }
    return toBelow < toAbove ? below : above;
  }
}
