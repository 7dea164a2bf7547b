package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.family.TinyFamily;
import io.shardpress.spark.foreign.QuantizedFolders;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of other tools as MODEL of every command. */
class QuantizedInputTest {
  @TempDir Path temporary;

  private Path model;

  @BeforeEach
  void writeModel() throws IOException {
    model = SmallModel.write(temporary.resolve("model"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gptq", "awq", "fp8"})
  void everyCommandTakesThem(String method) throws IOException {
    QuantizedFolders folders = new QuantizedFolders();
    Path folder = write(folders, method);
    CommandRun plan = CommandRun.of("plan", folder.toString(), "--algorithm=rtn");
    assertThat(plan.code()).as(plan.err()).isZero();
    String form =
        switch (method) {
          case "gptq" -> "int4 in 4 groups, gptq";
          case "awq" -> "int4 in 4 groups, awq gemm";
          default -> "fp8 in blocks of 128 x 128";
        };
    assertThat(plan.out())
        .contains(
            "2 x model.layers.*.mlp.up_proj.weight BF16 [512, 256] (dequantized on read from "
                + form
                + ")  rtn W4A16 group 128");

    Path exact = temporary.resolve("exact");
    run("decompress", folder.toString(), exact.toString(), "--dtype=float32", "--master=local[2]");
    Published dense = new Published(exact);
    folders
        .weights()
        .forEach((name, w) -> assertThat(floats(dense.tensors().get(name))).isEqualTo(w));
    assertThat(dense.config().has("quantization_config")).isFalse();
    assertThat(dense.tensors().keySet())
        .containsExactlyInAnyOrderElementsOf(
            SampleFiles.read(model, "model.safetensors").stream().map(Tensor::name).toList());

    String text = "--text=" + model.resolve("calibration.jsonl");
    CommandRun evaluation =
        run(
            "evaluate",
            folder.toString(),
            exact.toString(),
            text,
            "--samples=8",
            "--sequence-length=32",
            "--json",
            "--master=local[2]");
    JsonNode kl = new JsonMapper().readTree(evaluation.out()).get("kl");
    assertThat(kl.get("max").asDouble()).isZero();

    Path sixteen = temporary.resolve("sixteen");
    run("decompress", folder.toString(), sixteen.toString(), "--master=local[2]");
    Path one = rounded(folder);
    Path other = rounded(sixteen);
    assertThat(one.resolve("model.safetensors"))
        .hasSameBinaryContentAs(other.resolve("model.safetensors"));

    CommandRun list = run("inspect", folder.toString());
    assertThat(list.out()).contains(method.equals("fp8") ? "weight_scale_inv" : "up_proj.qweight");
    CommandRun read = run("inspect", folder.toString(), "--dequantize");
    assertThat(read.out()).contains("model.layers.0.mlp.up_proj.weight").doesNotContain("qweight");
  }

  /** Experts, biases and what lies beside them; both formats are as from the dense folder. */
  @ParameterizedTest
  @ValueSource(strings = {"gptq", "awq", "fp8"})
  void expertsAreReadLikeOtherLinears(String method) throws IOException {
    model = TinyFamily.QWEN2_MOE.write(temporary.resolve("experts"));
    QuantizedFolders folders = new QuantizedFolders();
    Path folder = write(folders, method);
    assertThat(folders.weights().keySet())
        .anyMatch(name -> name.contains(".experts.4."))
        .anyMatch(name -> name.contains(".shared_expert."));
    Path exact = temporary.resolve("exact");
    run("decompress", folder.toString(), exact.toString(), "--dtype=float32", "--master=local[2]");
    Published dense = new Published(exact);
    folders
        .weights()
        .forEach((name, w) -> assertThat(floats(dense.tensors().get(name))).isEqualTo(w));
    assertThat(dense.tensors().keySet()).isEqualTo(TinyFamily.QWEN2_MOE.tensors().keySet());

    Path sixteen = Files.createDirectories(temporary.resolve("sixteen")).resolve(method);
    run("decompress", folder.toString(), sixteen.toString(), "--master=local[2]");
    String[] formats = {"--group-size=32", "--format=compressed-tensors", "--format=gguf"};
    Path one = rounded(folder, formats);
    Path other = rounded(sixteen, formats);
    for (String file : List.of("model.safetensors", method + "-Q8_0.gguf")) {
      assertThat(one.resolve(file)).hasSameBinaryContentAs(other.resolve(file));
    }
  }

  @Test
  void expertsInMxfp4BecomeTensorsOfTheDenseModel() throws IOException {
    QuantizedFolders folders = new QuantizedFolders();
    folders.mxfp4("model.layers.0.mlp.experts.gate_up_proj", 3, 20, 64);
    folders.add("model.norm.weight", "BF16", List.of(2L), new byte[] {0, 1, 2, 3});
    Path folder =
        folders.write(
            temporary.resolve("oss"),
            "{\"model_type\": \"gpt_oss\", \"torch_dtype\": \"bfloat16\"}",
            "{\"quant_method\": \"mxfp4\", \"modules_to_not_convert\": [\"lm_head\"]}");
    Path output = temporary.resolve("dense");
    run("decompress", folder.toString(), output.toString(), "--master=local[2]");
    Tensor experts = new Published(output).tensors().get("model.layers.0.mlp.experts.gate_up_proj");
    assertThat(experts.shape()).containsExactly(3L, 64L, 20L);
    // FP4 times a power of two is exact in bf16.
    assertThat(experts.bf16())
        .isEqualTo(folders.weights().get("model.layers.0.mlp.experts.gate_up_proj"));
  }

  @Test
  void picklesAreRefusedWithTheWayOut() throws IOException {
    Path folder = Files.createDirectories(temporary.resolve("pickle"));
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
    for (String name : List.of("pytorch_model.bin", "model.pt")) {
      Files.write(folder.resolve(name), new byte[] {(byte) 0x80, 2});
      for (String command : List.of("plan", "decompress", "inspect")) {
        List<String> words = new ArrayList<>(List.of(command, folder.toString()));
        if (command.equals("decompress")) {
          words.add(temporary.resolve("never").toString());
        }
        CommandRun run = CommandRun.of(words.toArray(String[]::new));
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.errors()).singleElement().asString().contains(name, "safe_serialization");
      }
      Files.delete(folder.resolve(name));
    }
  }

  /** The small model with random linears in a packing; everything else as it is. */
  private Path write(QuantizedFolders folders, String method) throws IOException {
    for (Tensor tensor : SampleFiles.read(model, "model.safetensors")) {
      if (!tensor.name().endsWith("_proj.weight")) {
        folders.add(tensor);
        continue;
      }
      String module = tensor.name().substring(0, tensor.name().length() - ".weight".length());
      int out = tensor.shape().get(0).intValue();
      int in = tensor.shape().get(1).intValue();
      switch (method) {
        case "gptq" -> {
          folders.gptq(module, out, in, 4, 4, true, true);
          if (!biased(module)) {
            folders.add(module + ".bias", "F16", List.of((long) out), new byte[2 * out]);
          }
        }
        case "awq" -> folders.awq(module, out, in, 4);
        default ->
            folders.fp8(
                module,
                out,
                in,
                128,
                128,
                "_scale_inv",
                List.of((out + 127) / 128L, (in + 127) / 128L));
      }
    }
    String quantization =
        switch (method) {
          case "gptq" -> "{\"quant_method\": \"gptq\", \"bits\": 4, \"desc_act\": true}";
          case "awq" -> "{\"quant_method\": \"awq\", \"bits\": 4, \"version\": \"gemm\"}";
          default -> "{\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]}";
        };
    String config = Files.readString(model.resolve("config.json"));
    Path folder = folders.write(temporary.resolve(method), config, quantization);
    Files.copy(model.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    return folder;
  }

  /** Whether the model has a bias of its own there; AutoGPTQ writes one for every linear. */
  private boolean biased(String module) {
    return SampleFiles.read(model, "model.safetensors").stream()
        .anyMatch(tensor -> tensor.name().equals(module + ".bias"));
  }

  private Path rounded(Path from, String... more) {
    Path output = Path.of(from + "-w8");
    List<String> words = new ArrayList<>(List.of("compress", from.toString(), output.toString()));
    words.addAll(List.of("--algorithm=rtn", "--scheme=W8A16", "--master=local[2]"));
    words.addAll(List.of(more));
    run(words.toArray(String[]::new));
    return output;
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
