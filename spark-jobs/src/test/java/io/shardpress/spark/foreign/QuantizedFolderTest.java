package io.shardpress.spark.foreign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles.Tensor;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Other tools' folders, packed by their definitions here, are read as what they stand for. */
class QuantizedFolderTest {
  private static final String CONFIG = "{\"model_type\": \"strange\"}";

  private final Configuration configuration = new Configuration();
  private final QuantizedFolders folders = new QuantizedFolders();

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "4,4,false,gptq",
    "4,4,true,gptq",
    "4,1,false,gptq_v2",
    "8,2,true,gptq_v2",
    "2,4,false,gptq",
    "3,2,true,gptq_v2"
  })
  void gptq(int bits, int groups, boolean shuffled, String format) throws IOException {
    folders.gptq("a.b", 160, 64, bits, groups, shuffled, format.equals("gptq"));
    folders.write(
        folder,
        CONFIG,
        String.format(
            Locale.ROOT,
            "{\"quant_method\": \"gptq\", \"bits\": %d, \"checkpoint_format\": \"%s\"}",
            bits,
            format));
    readsWhatTheyStandFor();
  }

  /** By the words that the format's description gives. */
  @Test
  void gptqWordForWord() throws IOException {
    // Inputs 0 to 7 of one output have the integers 0 to 7; zero points of 8, stored less one.
    folders.add("m.qweight", "I32", List.of(1L, 8L), words(0x76543210, 0, 0, 0, 0, 0, 0, 0));
    folders.add("m.qzeros", "I32", List.of(1L, 1L), words(0x77777777));
    folders.add("m.scales", "F16", List.of(1L, 8L), halvesOfOne(8));
    folders.add("m.g_idx", "I32", List.of(8L), words(0, 0, 0, 0, 0, 0, 0, 0));
    folders.write(folder, CONFIG, "{\"quant_method\": \"gptq\", \"bits\": 4}");
    float[] w = read("m.weight");
    assertThat(Arrays.copyOf(w, 8)).containsExactly(-8, -7, -6, -5, -4, -3, -2, -1);
    assertThat(w[8]).isEqualTo(-8);
  }

  @Test
  void awq() throws IOException {
    folders.awq("a.b", 160, 64, 4);
    folders.write(
        folder, CONFIG, "{\"quant_method\": \"awq\", \"bits\": 4, \"version\": \"gemm\"}");
    readsWhatTheyStandFor();
  }

  @Test
  void awqWordForWord() throws IOException {
    // Nibbles from the lowest are columns 0, 2, 4, 6, 1, 3, 5, 7.
    folders.add("m.qweight", "I32", List.of(1L, 1L), words(0x76543210));
    folders.add("m.qzeros", "I32", List.of(1L, 1L), words(0x00000010));
    folders.add("m.scales", "F16", List.of(1L, 8L), halvesOfOne(8));
    folders.write(folder, CONFIG, "{\"quant_method\": \"awq\", \"bits\": 4}");
    assertThat(read("m.weight")).containsExactly(0, 4, 1 - 1, 5, 2, 6, 3, 7);
  }

  /** FP4 numbers as compressed-tensors packs them, with scales of both kinds. */
  @ParameterizedTest
  @CsvSource({
    "mxfp4, 32, 0x80, 0, 2, ",
    "nvfp4, 16, 0x40, 2, 1, ",
    "mxfp4, 32, 0xFF, 0, 0, 'm.weight_scale: found NaN (0xFF) at [0, 0]'",
    "nvfp4, 16, 0x7F, 2, 0, 'm.weight_scale: found NaN (0x7F) at [0, 0]'",
    "nvfp4, 16, 0x40, 0, 0, 'm.weight_global_scale: found 0.0, wanted a positive number'"
  })
  void fp4WordForWord(
      String form, int group, String scale, float global, float step, String message)
      throws IOException {
    boolean nvidia = form.equals("nvfp4");
    // Inputs 0 to 15 have the codes 0 to 15.
    folders.add(
        "m.weight_packed",
        "U8",
        List.of(1L, 16L),
        words(0x76543210, 0xFEDCBA98, 0x76543210, 0xFEDCBA98));
    byte[] scales = new byte[32 / group];
    Arrays.fill(scales, (byte) Integer.decode(scale).intValue());
    folders.add(
        "m.weight_scale", nvidia ? "F8_E4M3" : "U8", List.of(1L, (long) scales.length), scales);
    if (nvidia) {
      folders.add("m.weight_global_scale", "F32", List.of(1L), words(Float.floatToIntBits(global)));
    }
    folders.write(
        folder,
        CONFIG,
        String.format(
            Locale.ROOT,
            """
        {"quant_method": "compressed-tensors", "format": "%s-pack-quantized", "ignore": [],
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 4,
        "type": "float", "symmetric": true, "strategy": "%s", "group_size": %d}}}}
        """,
            form,
            nvidia ? "tensor_group" : "group",
            group));
    if (message != null) {
      assertThatThrownBy(() -> read("m.weight"))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(message);
      return;
    }
    float[] numbers = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    float[] w = read("m.weight");
    assertThat(w).hasSize(32);
    for (int i = 0; i < w.length; i++) {
      float number = i % 16 < 8 ? numbers[i % 8] : -numbers[i % 8];
      assertThat(w[i]).isEqualTo(number * step);
    }
  }

  @Test
  void olderFilesBesideTheConfigAreRead() throws IOException {
    folders.awq("a.b", 32, 64, 4);
    folders.write(folder, CONFIG, "");
    Files.writeString(
        folder.resolve("quant_config.json"),
        "{\"zero_point\": true, \"q_group_size\": 16, \"w_bit\": 4, \"version\": \"GEMM\"}");
    readsWhatTheyStandFor();
  }

  @ParameterizedTest
  @CsvSource({"128,128", "96,112", "7,300"})
  void fp8InBlocks(int down, int across) throws IOException {
    int out = 200;
    int in = 300;
    List<Long> shape = List.of((out + down - 1L) / down, (in + across - 1L) / across);
    folders.fp8("a.b", out, in, down, across, "_scale_inv", shape);
    folders.write(
        folder,
        CONFIG,
        String.format(
            Locale.ROOT,
            "{\"quant_method\": \"fp8\", \"fmt\": \"e4m3\", \"weight_block_size\": [%d, %d]}",
            down,
            across));
    readsWhatTheyStandFor();
  }

  @Test
  void fp8WithAScaleForAllOrForRows() throws IOException {
    folders.fp8("all", 40, 24, 40, 24, "_scale", List.of());
    folders.fp8("one", 40, 24, 40, 24, "_scale", List.of(1L));
    folders.fp8("rows", 40, 24, 1, 24, "_scale", List.of(40L, 1L));
    folders.add("one.input_scale", "F32", List.of(), words(0x3f800000));
    folders.write(folder, CONFIG, "{\"quant_method\": \"fp8\"}");
    readsWhatTheyStandFor();
    assertThat(open(Dtype.BF16).unused().keySet())
        .extracting(TensorRef::tensor)
        .containsExactly("one.input_scale");
  }

  @Test
  void mxfp4() throws IOException {
    folders.mxfp4("model.layers.0.mlp.experts.gate_up_proj", 3, 10, 64);
    folders.write(folder, CONFIG, "{\"quant_method\": \"mxfp4\"}");
    readsWhatTheyStandFor();
    assertThat(open(Dtype.BF16).tensors().get(0).shape()).containsExactly(3L, 64L, 10L);
  }

  /**
   * Powers of two of FP4's few bits are exact in 16; where one is too large for F16, it is said.
   */
  @Test
  void roundingToADtypeIsToNearestAndNeverToInfinity() throws IOException {
    folders.mxfp4("x", 1, 2, 64);
    folders.write(folder, CONFIG, "{\"quant_method\": \"mxfp4\"}");
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThat(reader.readFloats(open(Dtype.BF16).tensors().get(0)))
          .isEqualTo(folders.weights().get("x"));
      Tensor scales = folders.tensors().get(1);
      scales.bytes()[0] = (byte) 150;
      folders.write(folder, CONFIG, "{\"quant_method\": \"mxfp4\"}");
      TensorRef half = open(Dtype.F16).tensors().get(0);
      assertThatThrownBy(() -> reader.readFloats(half))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("wanted a number that F16 can hold");
    }
  }

  @Test
  void whatCannotBeReadIsNamed() throws IOException {
    folders.gptq("g", 32, 64, 4, 4, true, true);
    String gptq = "{\"quant_method\": \"gptq\", \"bits\": 4%s}";
    refused(gptq.formatted(", \"checkpoint_format\": \"marlin\""), "checkpoint_format: found");
    refused(gptq.formatted(", \"pack_dtype\": \"int16\""), "pack_dtype: found \"int16\"");
    refused("{\"quant_method\": \"gptq\", \"bits\": 5}", "bits: found 5, wanted 2, 3, 4 or 8");
    refused("{\"quant_method\": \"gptq\", \"bits\": 8}", "8 rows of words for 64 inputs");
    refused("{\"quant_method\": \"bitsandbytes\"}", "quant_method: found \"bitsandbytes\"");
    refused("{\"quant_method\": \"awq\", \"bits\": 4, \"version\": \"gemv\"}", "version: found");
    ByteBuffer.wrap(folders.tensors().get(3).bytes()).order(ByteOrder.LITTLE_ENDIAN).putInt(4, 9);
    folders.write(folder, CONFIG, gptq.formatted(""));
    unreadable("g.weight", "g.g_idx: found group 9 at [1], wanted 0 to 3");
  }

  @Test
  void threeBitsOfAutoGptqAreRefusedSinceWritersDisagree() throws IOException {
    folders.gptq("g", 32, 64, 3, 1, false, true);
    refused("{\"quant_method\": \"gptq\", \"bits\": 3}", "convert the folder to gptq_v2");
  }

  @Test
  void numbersThatAreNoneAreNamed() throws IOException {
    folders.fp8("f", 4, 4, 4, 4, "_scale_inv", List.of(1L, 1L));
    folders.tensors().get(0).bytes()[6] = (byte) 0xFF;
    folders.write(folder, CONFIG, "{\"quant_method\": \"fp8\", \"weight_block_size\": [4, 4]}");
    unreadable("f.weight", "f.weight: found NaN (0xFF) at [1, 2]");
    QuantizedFolders experts = new QuantizedFolders();
    experts.mxfp4("x", 1, 2, 64);
    experts.tensors().get(1).bytes()[3] = (byte) 255;
    experts.write(folder, CONFIG, "{\"quant_method\": \"mxfp4\"}");
    unreadable("x", "x_scales: found NaN (255) at [0, 1, 1]");
  }

  private void unreadable(String name, String message) {
    TensorRef tensor = open(Dtype.F32).find(name).orElseThrow();
    try (TensorReader reader = new TensorReader(configuration)) {
      assertThatThrownBy(() -> reader.readFloats(tensor))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(message);
    }
  }

  private void refused(String quantization, String message) throws IOException {
    folders.write(folder, CONFIG, quantization);
    assertThatThrownBy(() -> open(Dtype.F32))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  /** All weights, whole and by ranges of rows that begin anywhere. */
  private void readsWhatTheyStandFor() {
    Checkpoint dense = open(Dtype.F32);
    assertThat(dense.tensors())
        .extracting(TensorRef::tensor)
        .containsExactlyInAnyOrderElementsOf(folders.weights().keySet());
    try (TensorReader reader = new TensorReader(configuration)) {
      for (Map.Entry<String, float[]> wanted : folders.weights().entrySet()) {
        TensorRef tensor = dense.find(wanted.getKey()).orElseThrow();
        float[] w = wanted.getValue();
        int columns = (int) tensor.columns();
        assertThat(reader.readFloats(tensor)).isEqualTo(w);
        int rows = (int) tensor.rows();
        for (int start : new int[] {0, 1, 13, 32, 45}) {
          for (int count : new int[] {1, 9, 40, rows - start}) {
            if (start + count <= rows && count > 0) {
              assertThat(reader.readFloats(tensor, start, count))
                  .isEqualTo(Arrays.copyOfRange(w, start * columns, (start + count) * columns));
            }
          }
        }
      }
    }
  }

  private float[] read(String name) {
    try (TensorReader reader = new TensorReader(configuration)) {
      return reader.readFloats(open(Dtype.F32).find(name).orElseThrow());
    }
  }

  private Checkpoint open(Dtype dtype) {
    return QuantizedFolder.dequantized(Checkpoint.open(folder.toString(), configuration), dtype);
  }

  private static byte[] words(int... words) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(words);
    return bytes.array();
  }

  /** 1 in binary16 is 0x3C00. */
  private static byte[] halvesOfOne(int count) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      bytes.putShort((short) 0x3C00);
    }
    return bytes.array();
  }
}
