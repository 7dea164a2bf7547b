package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** FP4 weights, held against compressed-tensors' definitions of MXFP4 and NVFP4. */
class Fp4Test {
  private static final double[] NUMBERS = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

  @TempDir static Path shared;
  @TempDir Path temporary;

  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModel.write(shared.resolve("model"));
  }

  @ParameterizedTest
  @CsvSource({"MXFP4A16, mxfp4, group, 32", "NVFP4A16, nvfp4, tensor_group, 16"})
  void isWhatReadersExpect(String scheme, String form, String strategy, int group)
      throws IOException {
    Path output = temporary.resolve("out");
    run(
        "compress",
        model.toString(),
        output.toString(),
        "--algorithm=rtn",
        "--scheme=" + scheme,
        "--master=local[2]");
    Published published = new Published(output);
    JsonNode config = published.config().get("quantization_config");
    assertThat(config.get("format").asText()).isEqualTo(form + "-pack-quantized");
    JsonNode weights = config.at("/config_groups/group_0/weights");
    assertThat(weights.get("num_bits").asInt()).isEqualTo(4);
    assertThat(weights.get("type").asText()).isEqualTo("float");
    assertThat(weights.get("strategy").asText()).isEqualTo(strategy);
    assertThat(weights.get("group_size").asInt()).isEqualTo(group);
    assertThat(config.at("/config_groups/group_0/input_activations").isNull()).isTrue();
    Map<String, Tensor> inputs = new TreeMap<>();
    SampleFiles.read(model, "model.safetensors").forEach(t -> inputs.put(t.name(), t));
    Map<String, float[]> stands = new TreeMap<>();
    for (Tensor input : inputs.values()) {
      if (input.name().endsWith("_proj.weight")) {
        float absMax = form.equals("nvfp4") ? joinedAbsMax(inputs, input.name()) : 0;
        stands.put(input.name(), check(published, input, group, absMax));
      } else {
        assertThat(published.tensors().get(input.name()).bytes()).isEqualTo(input.bytes());
      }
    }
    assertThat(stands).hasSize(14);

    Path dense = temporary.resolve("dense");
    run("decompress", output.toString(), dense.toString(), "--dtype=float32", "--master=local[2]");
    Map<String, Tensor> read = new Published(dense).tensors();
    stands.forEach((name, w) -> assertThat(floats(read.get(name))).isEqualTo(w));
    CommandRun evaluated =
        run(
            "evaluate",
            model.toString(),
            output.toString(),
            "--text=" + model.resolve("calibration.jsonl"),
            "--samples=16",
            "--sequence-length=64",
            "--json",
            "--master=local[2]");
    double kl = new JsonMapper().readTree(evaluated.out()).at("/kl/mean").asDouble();
    assertThat(kl).isBetween(1e-5, 0.2);
    // A compressed folder is a MODEL, too: what is on the grid stays there.
    Path again = temporary.resolve("again");
    run(
        "compress",
        output.toString(),
        again.toString(),
        "--algorithm=rtn",
        "--scheme=" + scheme,
        "--master=local[2]");
    Map<String, Tensor> second = new Published(again).tensors();
    if (form.equals("mxfp4")) {
      published
          .tensors()
          .forEach(
              (name, tensor) -> assertThat(second.get(name).bytes()).isEqualTo(tensor.bytes()));
    }
  }

  /**
   * Each weight is the nearest of the numbers times its group's scale; scales by the formulas.
   *
   * @param absMax of all that shares the global scale; 0: there is none
   */
  private static float[] check(Published published, Tensor input, int group, float absMax) {
    String module = input.name().substring(0, input.name().length() - ".weight".length());
    Tensor packed = published.tensors().get(module + ".weight_packed");
    Tensor scales = published.tensors().get(module + ".weight_scale");
    long out = input.shape().get(0);
    long in = input.shape().get(1);
    assertThat(packed.dtype()).isEqualTo("U8");
    assertThat(packed.shape()).isEqualTo(List.of(out, in / 2));
    assertThat(scales.dtype()).isEqualTo(absMax == 0 ? "U8" : "F8_E4M3");
    assertThat(scales.shape()).isEqualTo(List.of(out, in / group));
    Tensor global = published.tensors().get(module + ".weight_global_scale");
    assertThat(global == null).isEqualTo(absMax == 0);
    if (global != null) {
      assertThat(global.shape()).isEqualTo(List.of(1L));
      assertThat(floats(global)).containsExactly(448f * 6f / absMax);
    }
    float[] w = input.bf16();
    float[] stands = new float[w.length];
    for (int i = 0; i < w.length; i++) {
      byte stored = scales.bytes()[i / group];
      float scale =
          global == null
              ? (float) Math.pow(2, (stored & 0xFF) - 127)
              : e4m3(stored) / floats(global)[0];
      if (i % group == 0) {
        float most = 0;
        for (int j = i; j < i + group; j++) {
          most = Math.max(most, Math.abs(w[j]));
        }
        if (global == null) {
          // The greatest lies from 3½ to 7 scales.
          assertThat(most / scale).isBetween(3.5f, Math.nextDown(7f));
        } else {
          assertThat(Math.abs(scale - most / 6)).isLessThanOrEqualTo(most / 6 / 15);
        }
      }
      int code = packed.bytes()[i / 2] >> (i % 2 * 4) & 15;
      float number = (float) ((code & 8) == 0 ? NUMBERS[code] : -NUMBERS[code & 7]);
      stands[i] = number * scale;
      double magnitude = Math.abs(w[i]);
      double best =
          Arrays.stream(NUMBERS).map(n -> Math.abs(magnitude - n * scale)).min().orElse(0);
      assertThat(Math.abs((double) w[i] - stands[i]))
          .isLessThanOrEqualTo(best * 1.00001 + Math.ulp(w[i]));
    }
    return stands;
  }

  /** The greatest weight of what vLLM makes one linear of. */
  private static float joinedAbsMax(Map<String, Tensor> inputs, String name) {
    List<String> joined =
        List.of("q_proj", "k_proj", "v_proj").stream().anyMatch(name::contains)
            ? List.of("q_proj", "k_proj", "v_proj")
            : List.of("gate_proj", "up_proj").stream().anyMatch(name::contains)
                ? List.of("gate_proj", "up_proj")
                : List.of(name.replaceFirst("\\.weight$", "").replaceFirst(".*\\.", ""));
    float most = 0;
    for (String part : joined) {
      for (float w : inputs.get(name.replaceFirst("[a-z]+_proj", part)).bf16()) {
        most = Math.max(most, Math.abs(w));
      }
    }
    return most;
  }

  /** What config.json and tensors that do not go together are told. */
  @Test
  void refusesWhatItWouldReadWrongly() throws IOException {
    CommandRun grouped =
        CommandRun.of(
            "plan", model.toString(), "--algorithm=rtn", "--scheme=MXFP4A16", "--group-size=64");
    assertThat(grouped.code()).isEqualTo(2);
    assertThat(grouped.errors()).singleElement().asString().contains("leave the group size out");
    CommandRun learned =
        CommandRun.of("plan", model.toString(), "--algorithm=gptq", "--scheme=NVFP4A16");
    assertThat(learned.code()).isEqualTo(2);
    assertThat(learned.errors()).singleElement().asString().contains("--algorithm rtn");
    CommandRun gguf =
        CommandRun.of(
            "plan", model.toString(), "--algorithm=rtn", "--scheme=MXFP4A16", "--format=gguf");
    assertThat(gguf.code()).isEqualTo(1);
    assertThat(gguf.errors()).singleElement().asString().contains("use W4A16");
  }

  @Test
  void alsoBehindSmoothQuant() throws IOException {
    Path output = temporary.resolve("out");
    run(
        "compress",
        model.toString(),
        output.toString(),
        "--algorithm=smoothquant",
        "--scheme=NVFP4A16",
        "--samples=16",
        "--sequence-length=64",
        "--master=local[2]");
    assertThat(new Published(output).config().at("/quantization_config/format").asText())
        .isEqualTo("nvfp4-pack-quantized");
    run("verify", output.toString());
  }

  /** Bias 7, three bits of mantissa. */
  private static float e4m3(byte code) {
    int exponent = code >> 3 & 15;
    int mantissa = code & 7;
    return (float)
        (exponent == 0 ? mantissa * Math.pow(2, -9) : (8 + mantissa) * Math.pow(2, exponent - 10));
  }

  private static CommandRun run(String... words) {
    CommandRun run = CommandRun.of(words);
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  private static float[] floats(Tensor tensor) {
    float[] values = new float[tensor.bytes().length / 4];
    ByteBuffer.wrap(tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }
}
