package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

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
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What round to nearest publishes, held against the formats' definitions and the input. */
class OutputFormatTest {
  @TempDir Path temporary;

  @ParameterizedTest
  @CsvSource({
    "W4A16,128,4,true",
    "W4A16_ASYM,128,4,false",
    "W4A16,32,4,true",
    "W8A16,channel,8,true",
    "W3A16,channel,3,true",
    "W3A16_ASYM,64,3,false",
    "W2A16_ASYM,channel,2,false"
  })
  void isWhatReadersExpect(String scheme, String group, int bits, boolean symmetric)
      throws IOException {
    Path output = temporary.resolve("out");
    CommandRun run =
        CommandRun.of(
            "compress",
            SampleFiles.FOLDER.toString(),
            output.toString(),
            "--algorithm=rtn",
            "--scheme=" + scheme,
            "--group-size=" + group,
            "--master=local[2]");
    assertThat(run.code()).as(run.err()).isZero();
    Published published = new Published(output);
    assertThat(run.line()).isEqualTo(published.treeHash());
    int groupSize = group.equals("channel") ? 0 : Integer.parseInt(group);
    checkConfig(published, bits, symmetric, groupSize);
    checkTensors(published, bits, symmetric, groupSize);
    checkFiles(published, output);
  }

  private static void checkConfig(Published published, int bits, boolean symmetric, int groupSize)
      throws IOException {
    String wanted =
        String.format(
            Locale.ROOT,
            """
        {"quant_method":"compressed-tensors","version":"0.12.2","format":"pack-quantized",
        "quantization_status":"compressed","global_compression_ratio":null,
        "ignore":["lm_head"],"kv_cache_scheme":null,"sparsity_config":{},"transform_config":{},
        "config_groups":{"group_0":{"targets":["Linear"],"weights":{"num_bits":%d,"type":"int",
        "symmetric":%b,"strategy":"%s","group_size":%s,"dynamic":false,"actorder":null,
        "block_structure":null,"observer":"minmax","observer_kwargs":{}},
        "input_activations":null,"output_activations":null}}}
        """,
            bits,
            symmetric,
            groupSize == 0 ? "channel" : "group",
            groupSize == 0 ? "null" : groupSize);
    assertThat(published.config().get("quantization_config"))
        .isEqualTo(new JsonMapper().readTree(wanted));
    JsonNode input =
        new JsonMapper().readTree(Files.readString(SampleFiles.FOLDER.resolve("config.json")));
    for (Map.Entry<String, JsonNode> entry : input.properties()) {
      assertThat(published.config().get(entry.getKey())).isEqualTo(entry.getValue());
    }
    assertThat(published.config()).hasSize(input.size() + 1);
  }

  private static void checkTensors(
      Published published, int bits, boolean symmetric, int groupSize) {
    Set<String> accounted = new HashSet<>();
    Set<String> outputs = new HashSet<>();
    Map<String, Tensor> inputs = SampleFiles.tensors();
    for (JsonNode entry : published.manifest().get("tensors")) {
      Tensor input = inputs.get(entry.get("name").asText());
      assertThat(accounted.add(input.name())).isTrue();
      assertThat(entry.get("file").asText()).isEqualTo(input.shard());
      entry.get("outputs").forEach(name -> outputs.add(name.asText()));
      if (entry.get("action").asText().equals("copy")) {
        Tensor copy = published.tensors().get(input.name());
        assertThat(copy.dtype()).isEqualTo(input.dtype());
        assertThat(copy.shape()).isEqualTo(input.shape());
        assertThat(copy.bytes()).isEqualTo(input.bytes());
      } else {
        assertThat(entry.get("action").asText()).isEqualTo("quantize");
        assertThat(input.name()).matches("model\\.layers\\.\\d\\.(self_attn|mlp)\\..*_proj.weight");
        checkQuantized(published, input, bits, symmetric, groupSize);
      }
    }
    assertThat(accounted).isEqualTo(inputs.keySet());
    assertThat(outputs).isEqualTo(published.tensors().keySet());
    Set<String> listed = new HashSet<>();
    for (JsonNode output : published.manifest().get("outputs")) {
      Tensor tensor = published.tensors().get(output.get("name").asText());
      assertThat(output.get("sha256").asText()).isEqualTo(Published.sha256(tensor.bytes()));
      listed.add(tensor.name());
    }
    assertThat(listed).isEqualTo(outputs);
  }

  private static void checkQuantized(
      Published published, Tensor input, int bits, boolean symmetric, int groupSize) {
    String module = input.name().substring(0, input.name().length() - ".weight".length());
    int out = input.shape().get(0).intValue();
    int in = input.shape().get(1).intValue();
    long groups = groupSize == 0 ? 1 : in / groupSize;
    Tensor packed = published.tensors().get(module + ".weight_packed");
    assertThat(packed.dtype()).isEqualTo("I32");
    assertThat(packed.shape()).isEqualTo(List.of((long) out, (in * bits + 31) / 32L));
    Tensor scale = published.tensors().get(module + ".weight_scale");
    assertThat(scale.dtype()).isEqualTo("BF16");
    assertThat(scale.shape()).isEqualTo(List.of((long) out, groups));
    Tensor shape = published.tensors().get(module + ".weight_shape");
    assertThat(shape.dtype()).isEqualTo("I64");
    ByteBuffer sides = ByteBuffer.wrap(shape.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(List.of(sides.getLong(0), sides.getLong(8))).isEqualTo(input.shape());
    Tensor zero = published.tensors().get(module + ".weight_zero_point");
    assertThat(zero == null).isEqualTo(symmetric);
    if (zero != null) {
      assertThat(zero.dtype()).isEqualTo("I32");
      assertThat(zero.shape()).isEqualTo(List.of((out * bits + 31) / 32L, groups));
    }
    float[] weights = input.bf16();
    Weight[] dequantized = published.dequantize(module, bits, out, in);
    int last = (1 << bits) - 1;
    // The step itself is rounded to bfloat16, by at most 2^-8: the ends of the range move by that.
    double end = Math.scalb(1.0, bits - 8);
    for (int i = 0; i < weights.length; i++) {
      Weight weight = dequantized[i];
      double steps = Math.abs(weight.value() - weights[i]) / weight.step();
      if (steps > 0.5 + (weight.code() == 0 || weight.code() == last ? end : 1e-5)) {
        fail("%s[%d]: found %s, wanted %s within half a step", module, i, weight, weights[i]);
      }
    }
  }

  private static void checkFiles(Published published, Path output) throws IOException {
    Set<String> wanted = new TreeSet<>(Set.of("shardpress.json"));
    for (JsonNode file : published.manifest().get("files")) {
      byte[] bytes = Files.readAllBytes(output.resolve(file.get("path").asText()));
      assertThat(file.get("size").asLong()).isEqualTo(bytes.length);
      assertThat(file.get("sha256").asText()).isEqualTo(Published.sha256(bytes));
      wanted.add(file.get("path").asText());
    }
    assertThat(published.files()).containsExactlyElementsOf(wanted);
    assertThat(wanted)
        .containsExactly(
            "README.md",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "recipe.yaml",
            "report/layers.jsonl",
            "shardpress.json",
            "tokenizer.json",
            "tokenizer_config.json");
    for (String name :
        List.of("generation_config.json", "tokenizer.json", "tokenizer_config.json")) {
      assertThat(output.resolve(name)).hasSameBinaryContentAs(SampleFiles.FOLDER.resolve(name));
    }
    assertThat(Files.readAllLines(output.resolve("report/layers.jsonl"))).hasSize(42);
  }
}
