package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SafetensorsWriter;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import io.shardpress.spark.text.TokenizerFile;
import io.shardpress.spark.text.Windows;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is published where inputs, keys and values are quantized, byte by byte and by value. */
class QuantizedActivationsTest {
  private static final int WINDOWS = 300;
  private static final int WINDOW = 32;

  private static final String STATIC =
      """
      QuantizationModifier:
        kv_cache_scheme: {type: float}
        config_groups:
          group_0:
            targets: [Linear]
            weights: {num_bits: 8, strategy: channel}
            input_activations: {num_bits: 8, strategy: tensor, dynamic: false, observer: %s}
      """;

  @TempDir Path temporary;

  private Published compress(Path model, String recipe) throws IOException {
    Path file = Files.writeString(temporary.resolve("recipe.yaml"), recipe);
    Path output = temporary.resolve("out");
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            output.toString(),
            "--recipe=" + file,
            "--master=local[2]",
            "--samples=" + WINDOWS,
            "--sequence-length=" + WINDOW);
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    assertThat(run.line()).isEqualTo(published.treeHash());
    return published;
  }

  /** Ranges whose scales are powers of two: 127.5 steps to either side, or 15 in all. */
  @Test
  void knownWeightsBecomeKnownBytes() throws IOException {
    float[] a = {127.5f / 128, -127.5f / 128, 0.5f, 1f / 128, 127.5f / 32, -1, 1f / 32, -2f / 32};
    float[] b = {10, -5, 7, -8, 0, 15, -1, -15};
    Path model = Files.createDirectories(temporary.resolve("model"));
    SafetensorsWriter.write(
        model.resolve("model.safetensors"), List.of(bf16("a.weight", a), bf16("b.weight", b)));
    Files.writeString(
        model.resolve("config.json"),
        Files.readString(SampleFiles.FOLDER.resolve("config.json")).replace("llama", "mamba"));
    Published published =
        compress(
            model,
            """
            QuantizationModifier:
              config_groups:
                wide:
                  targets: [a]
                  weights: {num_bits: 8, strategy: channel}
                  input_activations: {num_bits: 8, strategy: token, dynamic: true}
                narrow:
                  targets: [b]
                  weights: {num_bits: 4, symmetric: false, strategy: group, group_size: 2}
                  input_activations: {num_bits: 8, strategy: token, dynamic: true}
            """);
    Map<String, Tensor> tensors = published.tensors();
    assertThat(tensors.keySet())
        .containsExactly(
            "a.weight", "a.weight_scale", "b.weight", "b.weight_scale", "b.weight_zero_point");
    // 127.5 rounds to 128, which is clamped; scales 2^-7 and 2^-5.
    check(tensors.get("a.weight"), "I8", List.of(2L, 4L), 127, -128, 64, 1, 127, -32, 1, -2);
    check(tensors.get("a.weight_scale"), "BF16", List.of(2L, 1L), 0x00, 0x3C, 0x00, 0x3D);
    // Ranges [-5, 10], [-8, 7], [0, 15], [-15, 0]: scale 1, zero points 5, 8, 0, 15 less 8.
    check(tensors.get("b.weight"), "I8", List.of(2L, 4L), 7, -8, 7, -8, -8, 7, 6, -8);
    check(tensors.get("b.weight_zero_point"), "I8", List.of(2L, 2L), -3, 0, -8, 7);
    assertThat(tensors.get("b.weight_scale").bf16()).containsExactly(1, 1, 1, 1);
    JsonNode config = published.config().get("quantization_config");
    assertThat(config.get("format").asText()).isEqualTo("int-quantized");
  }

  private static void check(Tensor tensor, String dtype, List<Long> shape, int... bytes) {
    assertThat(tensor.dtype()).isEqualTo(dtype);
    assertThat(tensor.shape()).isEqualTo(shape);
    byte[] wanted = new byte[bytes.length];
    for (int i = 0; i < wanted.length; i++) {
      wanted[i] = (byte) bytes[i];
    }
    assertThat(tensor.bytes()).containsExactly(wanted);
  }

  private static Tensor bf16(String name, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort((short) (Float.floatToRawIntBits(value) >> 16));
    }
    return new Tensor(name, "BF16", List.of(2L, 4L), "model.safetensors", 0, bytes.array());
  }

  @Test
  void staticScalesAreThoseOfTheCalibrationText() throws IOException {
    Path model = SmallModel.write(temporary.resolve("model"));
    Published published = compress(model, STATIC.formatted("minmax"));
    assertThat(observer(published)).isEqualTo("minmax");
    for (int block = 0; block < 2; block++) {
      String prefix = "model.layers." + block + ".";
      float query = scale(published, prefix + "self_attn.q_proj.input_scale");
      assertThat(scale(published, prefix + "self_attn.k_proj.input_scale")).isEqualTo(query);
      assertThat(scale(published, prefix + "self_attn.v_proj.input_scale")).isEqualTo(query);
      float gate = scale(published, prefix + "mlp.gate_proj.input_scale");
      assertThat(scale(published, prefix + "mlp.up_proj.input_scale")).isEqualTo(gate);
      assertThat(List.of(query, gate, scale(published, prefix + "self_attn.o_proj.input_scale")))
          .doesNotHaveDuplicates();
      assertThat(scale(published, prefix + "mlp.down_proj.input_scale")).isPositive();
    }
    FirstBlock first = new FirstBlock(published, model);
    near(scale(published, "model.layers.0.self_attn.q_proj.input_scale"), first.input / 127.5);
    near(scale(published, "model.layers.0.self_attn.k_scale"), first.key / 448);
    near(scale(published, "model.layers.0.self_attn.v_scale"), first.value / 448);
    accountsFor(published, "model.layers.1.self_attn.k_proj", ".k_scale");
    accountsFor(published, "model.layers.1.self_attn.v_proj", ".v_scale");
  }

  private static String observer(Published published) {
    return published
        .config()
        .at("/quantization_config/config_groups/group_0/input_activations/observer")
        .asText();
  }

  /**
   * The scheme takes the percentile of the least squared error over the text: held against the
   * error, by its definition, of all scales that leave at most a thousandth outside.
   */
  @Test
  void theSchemesStaticScaleIsNearTheLeastSquaredError() throws IOException {
    Path model = SmallModel.write(temporary.resolve("model"));
    Published published =
        compress(
            model, "QuantizationModifier: {scheme: W8A8_STATIC, kv_cache_scheme: {type: float}}\n");
    assertThat(observer(published)).isEqualTo("mse");
    FirstBlock first = new FirstBlock(published, model);
    float found = scale(published, "model.layers.0.self_attn.q_proj.input_scale");
    double whole = first.input / 127.5;
    assertThat((double) found).isLessThan(0.97 * whole);
    double least = Double.POSITIVE_INFINITY;
    for (int i = 50; i <= 100; i++) {
      if (first.outside(whole * i / 100) <= 1e-3) {
        least = Math.min(least, first.squaredError(whole * i / 100));
      }
    }
    // The search goes by percentiles, each a half of the one before, not over all scales.
    assertThat(first.squaredError(found)).isLessThan(1.1 * least);
    assertThat(first.squaredError(found)).isLessThan(0.9 * first.squaredError(whole));
  }

  /** Within half a step of bfloat16, which the stored scale is rounded to, and f32's errors. */
  private static void near(float found, double wanted) {
    double half = Math.scalb(1.0, Math.getExponent(wanted) - 8);
    assertThat((double) found).isCloseTo(wanted, within(half + wanted * 1e-5));
  }

  private static float scale(Published published, String name) {
    Tensor tensor = published.tensors().get(name);
    assertThat(tensor).as(name).isNotNull();
    assertThat(tensor.dtype()).isEqualTo("BF16");
    assertThat(tensor.shape()).containsExactly(1L);
    return tensor.bf16()[0];
  }

  private static void accountsFor(Published published, String module, String suffix) {
    for (JsonNode entry : published.manifest().get("tensors")) {
      if (entry.get("name").asText().equals(module + ".weight")) {
        String attention = module.substring(0, module.lastIndexOf('.'));
        assertThat(entry.get("outputs").toString()).contains("\"" + attention + suffix + "\"");
        return;
      }
    }
    throw new AssertionError(module + " is not in the manifest");
  }

  /**
   * The greatest magnitudes that the first block's normed input, its rotated keys and its values
   * have on the calibration text, in f64 and from their definitions: x = embedding / rms ∘ w.
   */
  private static final class FirstBlock {
    private final List<double[]> inputs = new ArrayList<>();
    double input;
    double key;
    double value;

    FirstBlock(Published published, Path model) {
      JsonNode config = published.config();
      int hidden = config.get("hidden_size").asInt();
      int heads = config.get("num_key_value_heads").asInt();
      int headDim = hidden / config.get("num_attention_heads").asInt();
      double theta = config.at("/rope_parameters/rope_theta").asDouble(10000);
      double epsilon = config.get("rms_norm_eps").asDouble();
      Map<String, Tensor> tensors = published.tensors();
      float[] table = tensors.get("model.embed_tokens.weight").bf16();
      float[] norm = tensors.get("model.layers.0.input_layernorm.weight").bf16();
      float[] keyWeight = weight(tensors, "model.layers.0.self_attn.k_proj", hidden);
      float[] valueWeight = weight(tensors, "model.layers.0.self_attn.v_proj", hidden);
      Configuration hadoop = new Configuration();
      Windows windows;
      org.apache.hadoop.fs.Path folder = new org.apache.hadoop.fs.Path(model.toUri());
      try (TokenizerFile tokenizer = TokenizerFile.load(folder, hadoop)) {
        org.apache.hadoop.fs.Path text = new org.apache.hadoop.fs.Path(folder, "calibration.jsonl");
        windows =
            Windows.read(text, "text", tokenizer, table.length / hidden, WINDOWS, WINDOW, hadoop);
      }
      double[] x = new double[hidden];
      for (int w = 0; w < windows.count(); w++) {
        for (int position = 0; position < WINDOW; position++) {
          int row = windows.ids(w)[position] * hidden;
          double squares = 0;
          for (int i = 0; i < hidden; i++) {
            squares += (double) table[row + i] * table[row + i];
          }
          double rms = Math.sqrt(squares / hidden + epsilon);
          for (int i = 0; i < hidden; i++) {
            x[i] = table[row + i] / rms * norm[i];
            input = Math.max(input, Math.abs(x[i]));
          }
          inputs.add(x.clone());
          for (int head = 0; head < heads; head++) {
            head(x, head, headDim, position, theta, keyWeight, valueWeight);
          }
        }
      }
    }

    /** Σ (x̂ − x)² of all inputs, x̂ = scale · q with q the nearest of −128 … 127. */
    double squaredError(double scale) {
      double sum = 0;
      for (double[] token : inputs) {
        for (double one : token) {
          double q = Math.max(-128, Math.min(127, Math.rint(one / scale)));
          sum += (q * scale - one) * (q * scale - one);
        }
      }
      return sum;
    }

    /** The share of all inputs beyond the range of a scale. */
    double outside(double scale) {
      long count = 0;
      for (double[] token : inputs) {
        count += Arrays.stream(token).filter(one -> Math.abs(one) > 127.5 * scale).count();
      }
      return (double) count / inputs.size() / inputs.get(0).length;
    }

    private void head(
        double[] x, int head, int dim, int position, double theta, float[] keys, float[] values) {
      for (int i = 0; i < dim / 2; i++) {
        double angle = position * Math.pow(theta, -2.0 * i / dim);
        double low = product(x, keys, head * dim + i);
        double high = product(x, keys, head * dim + i + dim / 2);
        key = Math.max(key, Math.abs(low * Math.cos(angle) - high * Math.sin(angle)));
        key = Math.max(key, Math.abs(high * Math.cos(angle) + low * Math.sin(angle)));
        value = Math.max(value, Math.abs(product(x, values, head * dim + i)));
        value = Math.max(value, Math.abs(product(x, values, head * dim + i + dim / 2)));
      }
    }

    private static double product(double[] x, float[] w, int row) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        sum += x[i] * w[row * x.length + i];
      }
      return sum;
    }

    private static float[] weight(Map<String, Tensor> tensors, String module, int in) {
      byte[] integers = tensors.get(module + ".weight").bytes();
      float[] scales = tensors.get(module + ".weight_scale").bf16();
      float[] weight = new float[integers.length];
      for (int i = 0; i < weight.length; i++) {
        weight[i] = integers[i] * scales[i / in];
      }
      return weight;
    }
  }
}
