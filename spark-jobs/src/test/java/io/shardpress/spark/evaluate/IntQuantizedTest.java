package io.shardpress.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import io.shardpress.spark.io.TensorReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints with quantized inputs are read back as they were written, or refused. */
class IntQuantizedTest {
  private static final String FILE = "model.safetensors";
  private static final String ATTENTION = "model.layers.1.self_attn.";

  private final Configuration configuration = new Configuration();

  @TempDir Path temporary;

  /** The same integers as weight-only packs, which other tests hold to their definition. */
  @ParameterizedTest
  @CsvSource({"8,true,0", "4,true,128", "4,false,32", "3,false,0"})
  void readsWhatPackedWeightsHold(int bits, boolean symmetric, int group) throws IOException {
    String weights =
        String.format(
            Locale.ROOT,
            "weights: {num_bits: %d, symmetric: %b, strategy: %s}",
            bits,
            symmetric,
            group == 0 ? "channel" : "group, group_size: " + group);
    Path packed = compress("packed", weights);
    Path integers =
        compress("integers", weights + ", input_activations: {strategy: token, dynamic: true}");
    ModelSource one = open(packed);
    ModelSource other = open(integers);
    try (TensorReader reader = new TensorReader(configuration)) {
      for (int block = 0; block < 6; block++) {
        for (LinearRole role : LinearRole.SEPARATE) {
          WeightSource source = other.blocks().get(block).linears().get(role);
          assertThat(form(other.blocks().get(block), role)).doesNotContain("packed");
          float[] wanted = one.blocks().get(block).linears().get(role).read(reader);
          assertThat(source.read(reader)).isEqualTo(wanted);
          assertThat(source.rows(reader, 32, 7))
              .isEqualTo(Arrays.copyOfRange(wanted, 32 * source.in(), 39 * source.in()));
        }
      }
    }
  }

  @Test
  void groupsOfBothFormatsStandInOneModel() throws IOException {
    Path folder =
        compress(
            "mixed",
            "weights: {num_bits: 4, group_size: 64}}, down: {targets: ['re:.*down_proj$'],"
                + " weights: {num_bits: 8, strategy: channel},"
                + " input_activations: {strategy: token, dynamic: true}",
            "re:.*(attn.*|gate_proj|up_proj)$");
    BlockSource block = open(folder).blocks().get(2);
    assertThat(form(block, LinearRole.UP)).isEqualTo("int4 in groups of 64 packed");
    assertThat(form(block, LinearRole.DOWN)).isEqualTo("int8 per channel");
    assertThat(block.activations().inputs().keySet()).hasToString("[DOWN]");
  }

  private static String form(BlockSource block, LinearRole role) {
    return block.linears().get(role).tensor().stored().form();
  }

  @Test
  void damageIsNamed() throws IOException {
    Path folder =
        compress(
            "static",
            "weights: {num_bits: 4, strategy: channel},"
                + " input_activations: {symmetric: false, strategy: tensor, dynamic: false}",
            "re:.*_proj$",
            "kv_cache_scheme: {type: int}, ");
    Map<String, Tensor> tensors = new TreeMap<>();
    SampleFiles.read(folder, FILE).forEach(tensor -> tensors.put(tensor.name(), tensor));
    loads(folder);
    Tensor weight = tensors.get(ATTENTION + "o_proj.weight");
    refused(folder, weight, 256 + 3, "found 9 at [1, 3], wanted -8 to 7", 9);
    Tensor input = tensors.get(ATTENTION + "v_proj.input_scale");
    refused(folder, input, 0, "as in " + ATTENTION + "q_proj.input_scale", 0x00, 0x43);
    Tensor zero = tensors.get(ATTENTION + "k_proj.input_zero_point");
    refused(folder, zero, 0, "linears that read the same input share", zero.bytes()[0] ^ 1);
    Tensor cache = tensors.get(ATTENTION + "v_scale");
    refused(folder, cache, 0, "found 0.0, wanted a finite number above 0", 0, 0);
    refused(folder, cache, 0, "found NaN, wanted a finite number above 0", 0xC0, 0x7F);

    Path config = folder.resolve("config.json");
    String text = Files.readString(config);
    wrongConfig(config, text, "\"format\" : \"int-quantized\"", "\"format\" : \"dense\"", "format");
    wrongConfig(
        config,
        text,
        "\"input_activations\" : {",
        "\"input_activations\" : null, \"x\" : {",
        "int");
    wrongConfig(config, text, "\"strategy\" : \"tensor\"", "\"strategy\" : \"group\"", "strategy");
    wrongConfig(config, text, "\"type\" : \"int\"", "\"type\" : \"float\"", "4 bits of float");
  }

  private void wrongConfig(Path config, String text, String found, String with, String message)
      throws IOException {
    assertThat(text).contains(found);
    Files.writeString(config, text.replace(found, with));
    assertThatThrownBy(() -> open(config.getParent()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
    Files.writeString(config, text);
  }

  /** Puts bytes into a tensor, and back. */
  private void refused(Path folder, Tensor tensor, int at, String message, int... bytes)
      throws IOException {
    byte[] damaged = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      damaged[i] = (byte) bytes[i];
    }
    SampleFiles.poke(folder.resolve(FILE), tensor.position() + at, damaged);
    assertThatThrownBy(() -> loads(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(tensor.name())
        .hasMessageContaining(message);
    SampleFiles.poke(folder.resolve(FILE), tensor.position(), tensor.bytes());
  }

  private void loads(Path folder) {
    BlockSource block = open(folder).blocks().get(1);
    try (TensorReader reader = new TensorReader(configuration)) {
      block.load(reader);
      assertThat(block.activations().load(reader)).hasSize(4);
    }
  }

  private Path compress(String name, String group) throws IOException {
    return compress(name, group, "re:.*_proj$");
  }

  private Path compress(String name, String group, String target) throws IOException {
    return compress(name, group, target, "");
  }

  private Path compress(String name, String group, String target, String keys) throws IOException {
    Path recipe =
        Files.writeString(
            temporary.resolve(name + ".yaml"),
            "QuantizationModifier: {%sconfig_groups: {g: {targets: ['%s'], %s}}}\n"
                .formatted(keys, target, group));
    Path output = temporary.resolve(name);
    CommandRun run =
        CommandRun.of(
            "compress",
            SampleFiles.FOLDER.toString(),
            output.toString(),
            "--recipe=" + recipe,
            "--master=local[2]",
            "--samples=8",
            "--sequence-length=32");
    assertThat(run.code()).as(run.err()).isZero();
    return output;
  }

  private ModelSource open(Path folder) {
    return ModelSource.of(Checkpoint.open(folder.toString(), configuration));
  }
}
