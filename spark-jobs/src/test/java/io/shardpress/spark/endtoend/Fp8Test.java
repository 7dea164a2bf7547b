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
import org.junit.jupiter.params.provider.CsvSource;

/** FP8 weights and inputs, held against compressed-tensors' definition of float-quantized. */
class Fp8Test {
  private static final String WEIGHTS =
      "{\"num_bits\":8,\"type\":\"float\",\"symmetric\":true,\"strategy\":\"%s\",\"group_size\":null,"
          + "\"dynamic\":false,\"actorder\":null,\"block_structure\":%s,\"observer\":\"minmax\","
          + "\"observer_kwargs\":{}}";
  private static final String INPUTS =
      "{\"num_bits\":8,\"type\":\"float\",\"symmetric\":true,\"strategy\":\"%s\",\"dynamic\":%s,%s"
          + "\"observer\":%s}";

  @TempDir static Path shared;
  @TempDir Path temporary;

  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModel.write(shared.resolve("model"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "FP8|tensor|null|tensor|false||\"minmax\"",
        "FP8_DYNAMIC|channel|null|token|true||null",
        "FP8_BLOCK|block|[128,128]|group|true|\"group_size\":128,|null"
      })
  void isWhatReadersExpect(
      String scheme,
      String strategy,
      String structure,
      String inputs,
      String dynamic,
      String group,
      String observer)
      throws IOException {
    Path output = temporary.resolve("out");
    compress(output, "--algorithm=rtn", "--scheme=" + scheme);
    Published published = new Published(output);
    JsonNode config = published.config().get("quantization_config");
    assertThat(config.get("format").asText()).isEqualTo("float-quantized");
    JsonNode only = config.at("/config_groups/group_0");
    assertThat(only.get("weights"))
        .isEqualTo(new JsonMapper().readTree(WEIGHTS.formatted(strategy, structure)));
    assertThat(only.get("input_activations"))
        .isEqualTo(
            new JsonMapper()
                .readTree(INPUTS.formatted(inputs, dynamic, group == null ? "" : group, observer)));
    int checked = 0;
    Map<String, float[]> stands = new TreeMap<>();
    for (Tensor input : SampleFiles.read(model, "model.safetensors")) {
      if (input.name().endsWith("_proj.weight")) {
        stands.put(input.name(), check(published, input, strategy));
        boolean stored = published.tensors().containsKey(scaleOfInputs(input.name()));
        assertThat(stored).isEqualTo(scheme.equals("FP8"));
        checked++;
      } else {
        assertThat(published.tensors().get(input.name()).bytes()).isEqualTo(input.bytes());
      }
    }
    assertThat(checked).isEqualTo(14);
    if (scheme.equals("FP8")) {
      joinedLinearsShareTheirScales(published);
    }

    Path dense = temporary.resolve("dense");
    run("decompress", output.toString(), dense.toString(), "--dtype=float32", "--master=local[2]");
    Map<String, Tensor> read = new Published(dense).tensors();
    stands.forEach((name, w) -> assertThat(floats(read.get(name))).isEqualTo(w));

    // Weights alone cost little, inputs some more: both are measured.
    double weights = kl(model, dense);
    double both = kl(model, output);
    assertThat(weights).isBetween(1e-6, 0.05);
    assertThat(both).isBetween(weights * 1.01, 0.1);
  }

  private static String scaleOfInputs(String weight) {
    return weight.replaceFirst("weight$", "input_scale");
  }

  /** One scale for what vLLM makes one linear of, so that joining them rounds nothing again. */
  private static void joinedLinearsShareTheirScales(Published published) {
    for (int block = 0; block < 2; block++) {
      String prefix = "model.layers." + block + ".";
      for (String suffix : List.of(".weight_scale", ".input_scale")) {
        for (String[] pair :
            new String[][] {
              {"self_attn.q_proj", "self_attn.k_proj"},
              {"self_attn.q_proj", "self_attn.v_proj"},
              {"mlp.gate_proj", "mlp.up_proj"}
            }) {
          assertThat(published.tensors().get(prefix + pair[1] + suffix).bytes())
              .isEqualTo(published.tensors().get(prefix + pair[0] + suffix).bytes());
        }
      }
    }
  }

  /** Scales are absmax/448 in bf16 of what shares them, numbers the nearest of all 254. */
  private static float[] check(Published published, Tensor input, String strategy) {
    Tensor codes = published.tensors().get(input.name());
    Tensor scale = published.tensors().get(input.name() + "_scale");
    assertThat(codes.dtype()).isEqualTo("F8_E4M3");
    assertThat(codes.shape()).isEqualTo(input.shape());
    assertThat(scale.dtype()).isEqualTo("BF16");
    int out = input.shape().get(0).intValue();
    int in = input.shape().get(1).intValue();
    assertThat(scale.shape())
        .isEqualTo(
            switch (strategy) {
              case "tensor" -> List.of(1L);
              case "channel" -> List.of((long) out, 1L);
              default -> List.of((out + 127L) / 128, (in + 127L) / 128);
            });
    float[] scales = scale.bf16();
    float[] w = input.bf16();
    float[] most = new float[scales.length];
    float[] stands = new float[w.length];
    for (int i = 0; i < w.length; i++) {
      int place =
          switch (strategy) {
            case "tensor" -> 0;
            case "channel" -> i / in;
            default -> i / in / 128 * (in / 128) + i % in / 128;
          };
      most[place] = Math.max(most[place], Math.abs(w[i]));
      stands[i] = value(codes.bytes()[i]) * scales[place];
      double best = Double.POSITIVE_INFINITY;
      for (int code = 0; code < 0x7F; code++) {
        double magnitude = value((byte) code);
        best = Math.min(best, Math.abs(Math.abs((double) w[i] / scales[place]) - magnitude));
      }
      double found = Math.abs((double) w[i] / scales[place] - value(codes.bytes()[i]));
      assertThat(found).isLessThanOrEqualTo(best + 1e-4);
    }
    for (int i = 0; i < scales.length; i++) {
      float wanted = most[i] / 448;
      if (strategy.equals("tensor")) {
        assertThat(scales[i]).isGreaterThanOrEqualTo(wanted * (1 - 1 / 256f));
      } else {
        assertThat(Math.abs(scales[i] - wanted)).isLessThanOrEqualTo(wanted / 256);
      }
    }
    return stands;
  }

  /** By the definition: sign, 4 bits of exponent with bias 7, 3 of mantissa. */
  private static float value(byte code) {
    int exponent = code >> 3 & 15;
    int mantissa = code & 7;
    double magnitude =
        exponent == 0 ? mantissa * Math.pow(2, -9) : (8 + mantissa) * Math.pow(2, exponent - 10);
    return (float) (code < 0 ? -magnitude : magnitude);
  }

  /**
   * What vLLM resolves each of its linears to: the first target that is the joined linear's name,
   * or else its class, or else each part's name.
   */
  @Test
  void everyLinearOfTheRuntimeFindsItsGroup() throws IOException {
    Path recipe =
        Files.writeString(
            temporary.resolve("mixed.yaml"),
            """
            QuantizationModifier:
              config_groups:
                a: {targets: ['re:.*[qkv]_proj$'], weights: {num_bits: 4, group_size: 64}}
                b:
                  targets: [model.layers.1.mlp.down_proj]
                  weights: {num_bits: 8, strategy: channel}
                c:
                  targets: [Linear]
                  weights: {num_bits: 8, type: float, strategy: channel}
                  input_activations: {num_bits: 8, type: float, strategy: token, dynamic: true}
            """);
    Path output = temporary.resolve("out");
    compress(output, "--recipe=" + recipe);
    JsonNode config = new Published(output).config().get("quantization_config");
    assertThat(config.get("format").asText()).isEqualTo("mixed-precision");
    for (int block = 0; block < 2; block++) {
      String prefix = "model.layers." + block + ".";
      Map<String, String> wanted = new TreeMap<>();
      wanted.put(prefix + "self_attn.qkv_proj", "a");
      wanted.put(prefix + "self_attn.o_proj", "c");
      wanted.put(prefix + "mlp.gate_up_proj", "c");
      wanted.put(prefix + "mlp.down_proj", block == 1 ? "b" : "c");
      wanted.forEach((name, group) -> assertThat(resolved(config, name)).isEqualTo(group));
      // Transformers has the parts themselves.
      assertThat(resolved(config, prefix + "self_attn.k_proj")).isEqualTo("a");
      assertThat(resolved(config, prefix + "mlp.up_proj")).isEqualTo("c");
    }
    assertThat(config.at("/config_groups/group_0/targets"))
        .hasToString("[\"re:.*\\\\.self_attn\\\\.(k_proj|q_proj|qkv_proj|v_proj)$\"]");
    assertThat(kl(model, output)).isLessThan(0.05);
  }

  private static String resolved(JsonNode config, String name) {
    for (int i = 0; i < 3; i++) {
      for (JsonNode target : config.at("/config_groups/group_" + i + "/targets")) {
        String text = target.asText();
        boolean matches =
            text.startsWith("re:")
                ? java.util.regex.Pattern.compile(text.substring(3)).matcher(name).lookingAt()
                : text.equals(name) || "QKVParallelLinear".contains(text);
        if (matches) {
          return String.valueOf((char) ('a' + i));
        }
      }
    }
    return "none";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--ignore=re:.*k_proj|self_attn.k_proj and model.layers.0.self_attn.q_proj are one linear"
            + " in vLLM|no scheme for one and W4A16 group 128 for the other",
        "--ignore=re:.*1.mlp.up_proj|model.layers.1.mlp.up_proj are one linear|ignore both",
        "--targets=re:.*[qk]_proj|model.layers.0.self_attn.v_proj|no scheme",
      })
  void whatVllmWouldRefuseThePlanRefuses(String option, String modules, String what) {
    CommandRun run = CommandRun.of("plan", model.toString(), "--algorithm=rtn", option);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors()).singleElement().asString().contains(modules, what);
    CommandRun told =
        CommandRun.of("plan", model.toString(), "--algorithm=rtn", option, "--runtime=any");
    assertThat(told.code()).as(told.err()).isZero();
    assertThat(told.err()).contains("warning: vLLM will not load this: ", modules);
  }

  @Test
  void rowsThatDoNotFillWordsOfZeroPointsOrBlocksAreRefused() throws IOException {
    Path odd = temporary.resolve("odd");
    Files.createDirectories(odd);
    io.shardpress.spark.io.SafetensorsWriter.write(
        odd.resolve("model.safetensors"),
        List.of(
            tensor("a.layers.0.q_proj.weight", 132, 256),
            tensor("a.layers.0.k_proj.weight", 132, 256),
            tensor("a.layers.0.v_proj.weight", 132, 256)));
    Files.writeString(odd.resolve("config.json"), "{\"model_type\": \"x\"}");
    CommandRun asymmetric =
        CommandRun.of("plan", odd.toString(), "--algorithm=rtn", "--scheme=W4A16_ASYM");
    assertThat(asymmetric.errors())
        .singleElement()
        .asString()
        .contains("its 132 rows are not a multiple of 8", "use a symmetric scheme");
    CommandRun eight =
        CommandRun.of("plan", odd.toString(), "--algorithm=rtn", "--scheme=W8A16_ASYM");
    assertThat(eight.code()).as(eight.err()).isZero();
    CommandRun blocks =
        CommandRun.of("plan", odd.toString(), "--algorithm=rtn", "--scheme=FP8_BLOCK");
    assertThat(blocks.errors())
        .singleElement()
        .asString()
        .contains("its 132 rows do not split into blocks of 128", "qkv_proj");
  }

  private static Tensor tensor(String name, long out, long in) {
    return new Tensor(name, "BF16", List.of(out, in), "", 0, new byte[(int) (2 * out * in)]);
  }

  private static double kl(Path original, Path compressed) throws IOException {
    CommandRun run =
        run(
            "evaluate",
            original.toString(),
            compressed.toString(),
            "--text=" + model.resolve("calibration.jsonl"),
            "--samples=16",
            "--sequence-length=64",
            "--json",
            "--master=local[2]");
    return new JsonMapper().readTree(run.out()).at("/kl/mean").asDouble();
  }

  private static void compress(Path output, String... more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), output.toString(), "--master=local[2]"));
    words.addAll(List.of("--samples=16", "--sequence-length=64"));
    words.addAll(List.of(more));
    run(words.toArray(String[]::new));
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
