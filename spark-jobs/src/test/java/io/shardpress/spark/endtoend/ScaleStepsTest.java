package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import io.shardpress.spark.text.TokenizerFile;
import io.shardpress.spark.text.Windows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Steps on scales after GPTQ, held to the first block's error: of the published weights, on windows
 * spread evenly over the calibration text.
 */
class ScaleStepsTest {
  private static final int WINDOWS = 300;
  private static final int WINDOW = 32;
  private static final int CHECKED = 32;
  private static final String BLOCK = "model.layers.0.";
  private static final Map<LinearRole, String> NAMES =
      Map.of(
          LinearRole.Q, "self_attn.q_proj",
          LinearRole.K, "self_attn.k_proj",
          LinearRole.V, "self_attn.v_proj",
          LinearRole.O, "self_attn.o_proj",
          LinearRole.GATE, "mlp.gate_proj",
          LinearRole.UP, "mlp.up_proj",
          LinearRole.DOWN, "mlp.down_proj");

  @TempDir static Path folder;

  private static Path model;
  private static BlockShape shape;
  private static BlockWeights original;
  private static float[] inputs;

  @BeforeAll
  static void readBlock() throws IOException {
    model = SmallModel.write(folder.resolve("model"));
    Configuration configuration = new Configuration();
    shape = BlockShape.of(Checkpoint.open(model.toString(), configuration).config(), 0);
    Map<String, Tensor> tensors = SampleFiles.tensors();
    Map<LinearRole, float[]> linears = new TreeMap<>();
    NAMES.forEach((role, name) -> linears.put(role, bf16(tensors, BLOCK + name)));
    original =
        new BlockWeights(
            linears,
            Map.of(),
            bf16(tensors, BLOCK + "input_layernorm"),
            bf16(tensors, BLOCK + "post_attention_layernorm"),
            null,
            null);
    float[] table = bf16(tensors, "model.embed_tokens");
    int hidden = shape.hidden();
    inputs = new float[CHECKED * WINDOW * hidden];
    try (TokenizerFile tokenizer =
        TokenizerFile.load(new org.apache.hadoop.fs.Path(model.toString()), configuration)) {
      Windows windows =
          Windows.read(
              new org.apache.hadoop.fs.Path(model.resolve("calibration.jsonl").toString()),
              "text",
              tokenizer,
              table.length / hidden,
              WINDOWS,
              WINDOW,
              configuration);
      for (int i = 0; i < CHECKED; i++) {
        int[] ids = windows.ids(i * WINDOWS / CHECKED);
        for (int t = 0; t < WINDOW; t++) {
          System.arraycopy(table, ids[t] * hidden, inputs, (i * WINDOW + t) * hidden, hidden);
        }
      }
    }
  }

  @Test
  void theyKeepTheIntegersAndLowerTheError() throws IOException {
    Published solved = compress("without", 3, "");
    Published stepped = compress("twenty", 3, ", scale_iterations: 20");
    for (String name : NAMES.values()) {
      String codes = BLOCK + name + ".weight_packed";
      assertThat(bytes(stepped, codes)).as(codes).isEqualTo(bytes(solved, codes));
      String scales = BLOCK + name + ".weight_scale";
      assertThat(bytes(stepped, scales)).as(scales).isNotEqualTo(bytes(solved, scales));
    }
    assertThat(error(stepped, 3)).isLessThan(0.99 * error(solved, 3));
  }

  /** On a grid so fine, steps along single windows' gradients do more harm than good. */
  @Test
  void neverWorseThanWithoutThem() throws IOException {
    double before = error(compress("fine", 8, ""), 8);
    double after = error(compress("steps", 8, ", scale_iterations: 20, batch_size: 1"), 8);
    assertThat(after).isLessThanOrEqualTo(before * (1 + 1e-6));
  }

  private static Published compress(String name, int bits, String settings) throws IOException {
    Path recipe = folder.resolve(name + ".yaml");
    Files.writeString(
        recipe,
        String.format(
            Locale.ROOT,
            "GPTQModifier: {scheme: W%dA16_ASYM, group_size: channel%s}\n",
            bits,
            settings));
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            folder.resolve(name).toString(),
            "--recipe=" + recipe,
            "--master=local[2]",
            "--samples=" + WINDOWS,
            "--sequence-length=" + WINDOW);
    assertThat(run.code()).as(run.err()).isZero();
    return new Published(folder.resolve(name));
  }

  private static double error(Published published, int bits) {
    Map<LinearRole, float[]> linears = new TreeMap<>();
    NAMES.forEach(
        (role, name) -> {
          Published.Weight[] weights =
              published.dequantize(BLOCK + name, bits, shape.out(role), shape.in(role));
          float[] values = new float[weights.length];
          for (int i = 0; i < values.length; i++) {
            values[i] = weights[i].value();
          }
          linears.put(role, values);
        });
    float[] wanted = output(original);
    float[] found = output(original.with(linears));
    double sum = 0;
    for (int i = 0; i < found.length; i++) {
      sum += ((double) found[i] - wanted[i]) * ((double) found[i] - wanted[i]);
    }
    return sum;
  }

  private static float[] output(BlockWeights weights) {
    int rows = CHECKED * WINDOW;
    BlockActivations a = new BlockActivations(shape, rows);
    System.arraycopy(inputs, 0, a.input(), 0, inputs.length);
    new DecoderBlock(shape, WINDOW, Matmuls.chosen()).forward(weights, rows, a, Workers.single());
    return a.output();
  }

  private static float[] bf16(Map<String, Tensor> tensors, String name) {
    return tensors.get(name + ".weight").bf16();
  }

  private static byte[] bytes(Published published, String tensor) {
    return published.tensors().get(tensor).bytes();
  }
}
