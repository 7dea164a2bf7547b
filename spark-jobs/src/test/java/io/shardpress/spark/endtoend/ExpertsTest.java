package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.family.TinyFamily;
import io.shardpress.spark.io.SafetensorsWriter;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mixtures of experts through the command line: who is starved, what stays, what is refused. */
class ExpertsTest {
  private static final int WINDOWS = 40;
  private static final int WINDOW = 32;

  @TempDir Path folder;

  /** Experts 1 and 3 of each block are chosen for no token, and learn on all. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "GPTQModifier: {scheme: W4A16, group_size: 32}",
        "LRQModifier: {scheme: W4A16, group_size: 32, init: rtn, iterations: 4, rank: 8}",
        "AutoRoundModifier: {scheme: W4A16, group_size: 32, iterations: 4, order: parallel}"
      })
  void starvedExpertsAreCalibratedOnAllTokens(String modifier) throws IOException {
    Path model = TinyFamily.MIXTRAL.write(folder.resolve("model"));
    List<Tensor> tensors = new ArrayList<>();
    for (Tensor tensor : TinyFamily.MIXTRAL.tensors().values()) {
      tensors.add(starving(tensor));
    }
    SafetensorsWriter.write(model.resolve("model.safetensors"), tensors);
    Path output = folder.resolve("out");
    CommandRun run = compress(model, output, modifier);
    assertThat(run.code()).as(run.err()).isZero();
    int starved = 0;
    long chosen = 0;
    for (String line : Files.readAllLines(output.resolve("report/layers.jsonl"))) {
      JsonNode linear = new JsonMapper().readTree(line);
      if (!linear.get("module").asText().contains(".experts.")) {
        assertThat(linear.has("calibration_tokens")).isFalse();
        continue;
      }
      boolean few = linear.get("module").asText().matches(".*experts\\.[13]\\..*");
      assertThat(linear.get("calibrated_on_all_tokens").asBoolean()).as(line).isEqualTo(few);
      long tokens = linear.get("calibration_tokens").asLong();
      starved += few ? 1 : 0;
      if (few) {
        assertThat(tokens).isEqualTo(WINDOWS * WINDOW);
      } else if (linear.get("role").asText().endsWith("gate")) {
        chosen += tokens;
      }
      // 4 bits in groups of 32: as near as with other linears, and never NaN.
      assertThat(linear.get("weight_error").asDouble()).as(line).isBetween(1e-4, 0.05);
    }
    assertThat(starved).isEqualTo(2 * 2 * 3);
    // Two experts of two are chosen for every token of each of two blocks.
    assertThat(chosen).isEqualTo(2L * 2 * WINDOWS * WINDOW);
    CommandRun evaluation =
        CommandRun.of(
            "evaluate",
            model.toString(),
            output.toString(),
            "--json",
            "--samples=4",
            "--sequence-length=" + WINDOW,
            "--text=" + model.resolve("heldout.jsonl"),
            "--master=local[2]");
    assertThat(evaluation.code()).as(evaluation.err()).isZero();
    double kl = new JsonMapper().readTree(evaluation.out()).get("kl").get("mean").asDouble();
    assertThat(kl).isBetween(1e-6, 0.5);
  }

  /**
   * Element 0 of the residual stream is 4 for every token, which embeddings set and nothing
   * changes; routers take from it what decides.
   */
  private static Tensor starving(Tensor tensor) {
    float[] values = tensor.bf16();
    int columns = (int) (long) tensor.shape().get(tensor.shape().size() - 1);
    if (tensor.name().endsWith("embed_tokens.weight")) {
      for (int i = 0; i < values.length; i += columns) {
        values[i] = 4;
      }
    } else if (tensor.name().matches(".*(o_proj|w2)\\.weight")) {
      java.util.Arrays.fill(values, 0, columns, 0);
    } else if (tensor.name().endsWith("post_attention_layernorm.weight")) {
      values[0] = 1;
    } else if (tensor.name().endsWith("moe.gate.weight")) {
      for (int expert = 0; expert < 4; expert++) {
        values[expert * columns] = expert % 2 == 0 ? 16 : -16;
      }
    } else {
      return tensor;
    }
    return bf16(tensor, values);
  }

  @Test
  void routersStayAndAreNamedForRuntimes() throws IOException {
    for (TinyFamily family : List.of(TinyFamily.MIXTRAL, TinyFamily.QWEN2_MOE)) {
      Path model = family.write(folder.resolve(family.name()));
      Path output = folder.resolve(family + "-out");
      CommandRun run =
          compress(model, output, "QuantizationModifier: {scheme: W4A16, group_size: 32}");
      assertThat(run.code()).as(run.err()).isZero();
      JsonNode config = new JsonMapper().readTree(Files.readString(output.resolve("config.json")));
      List<String> ignored = new ArrayList<>();
      config.get("quantization_config").get("ignore").forEach(name -> ignored.add(name.asText()));
      Map<String, Tensor> before = family.tensors();
      Map<String, Tensor> after = new java.util.TreeMap<>();
      SampleFiles.read(output, "model.safetensors").forEach(t -> after.put(t.name(), t));
      List<String> routers =
          before.keySet().stream().filter(name -> name.matches(".*gate\\.weight")).toList();
      assertThat(routers).isNotEmpty();
      for (String router : routers) {
        assertThat(ignored).contains(router.replace(".weight", ""));
        assertThat(after.get(router).dtype()).isEqualTo("BF16");
        assertThat(after.get(router).bytes()).isEqualTo(before.get(router).bytes());
      }
      assertThat(ignored).contains("lm_head");
    }
  }

  /**
   * What makes experts' inputs smaller makes a router's weights larger, by powers of two: it
   * chooses as before, bit for bit.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "[{SmoothQuantModifier: {}}, {QuantizationModifier: {scheme: W8A8}}]",
        "AWQModifier: {scheme: W4A16_ASYM, group_size: 32, n_grid: 3}"
      })
  void scalesLeaveTheRoutersChoice(String modifier) throws IOException {
    Path model = TinyFamily.QWEN2_MOE.write(folder.resolve("model"));
    Map<String, Tensor> before = TinyFamily.QWEN2_MOE.tensors();
    before.replaceAll((name, tensor) -> uneven(tensor));
    SafetensorsWriter.write(model.resolve("model.safetensors"), List.copyOf(before.values()));
    Path output = folder.resolve("out");
    CommandRun run = compress(model, output, modifier, "--runtime=any");
    assertThat(run.code()).as(run.err()).isZero();
    Map<String, Tensor> after = new java.util.TreeMap<>();
    SampleFiles.read(output, "model.safetensors").forEach(t -> after.put(t.name(), t));
    int moved = 0;
    for (int block = 0; block < 2; block++) {
      String prefix = "model.layers." + block + ".";
      String norm = prefix + "post_attention_layernorm.weight";
      float[] oldNorm = before.get(norm).bf16();
      float[] newNorm = after.get(norm).bf16();
      for (String name : List.of("mlp.gate.weight", "mlp.shared_expert_gate.weight")) {
        float[] old = before.get(prefix + name).bf16();
        float[] now = after.get(prefix + name).bf16();
        for (int i = 0; i < old.length; i++) {
          int column = i % oldNorm.length;
          float scale = oldNorm[column] / newNorm[column];
          assertThat(scale).isEqualTo(Math.scalb(1f, Math.getExponent(scale)));
          assertThat(now[i]).isEqualTo(old[i] * scale);
          moved += scale == 1 ? 0 : 1;
        }
      }
    }
    assertThat(moved).isPositive();
  }

  /** Norms before experts with every eighth channel 32 times as large. */
  private static Tensor uneven(Tensor tensor) {
    if (!tensor.name().endsWith("post_attention_layernorm.weight")) {
      return tensor;
    }
    float[] values = tensor.bf16();
    for (int i = 0; i < values.length; i += 8) {
      values[i] *= 32;
    }
    return bf16(tensor, values);
  }

  private static Tensor bf16(Tensor tensor, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
    return new Tensor(tensor.name(), "BF16", tensor.shape(), "", 0, bytes.array());
  }

  @Test
  void expertsInOneTensorAreRefused() throws IOException {
    Path model = TinyFamily.QWEN3_MOE.write(folder.resolve("model"));
    List<Tensor> tensors = new ArrayList<>(TinyFamily.QWEN3_MOE.tensors().values());
    tensors.removeIf(tensor -> tensor.name().contains(".experts."));
    String name = "model.layers.0.mlp.experts.gate_up_proj";
    tensors.add(
        new Tensor(name, "BF16", List.of(6L, 128L, 96L), "", 0, new byte[2 * 6 * 128 * 96]));
    SafetensorsWriter.write(model.resolve("model.safetensors"), tensors);
    CommandRun plan = CommandRun.of("plan", model.toString(), "--algorithm=rtn");
    assertThat(plan.code()).isEqualTo(1);
    assertThat(plan.errors())
        .singleElement()
        .asString()
        .contains(name, "[6, 128, 96]", "wanted one for each expert");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GPTQModifier: {scheme: W4A16, group_size: 32, scale_iterations: 5}|scale_iterations",
        "QuantizationModifier: {scheme: W8A8_STATIC}|static input_activations for an expert"
      })
  void whatCannotBeDoneIsSaidInThePlan(String recipeAndReason) throws IOException {
    Path model = TinyFamily.MIXTRAL.write(folder.resolve("model"));
    String[] parts = recipeAndReason.split("\\|");
    Path recipe = Files.writeString(folder.resolve("recipe.yaml"), parts[0] + "\n");
    CommandRun plan = CommandRun.of("plan", model.toString(), "--recipe=" + recipe);
    assertThat(plan.code()).isEqualTo(1);
    assertThat(plan.errors()).singleElement().asString().contains(parts[1]);
  }

  /** vLLM loads all experts of a block by the first one's scheme, and symmetric ones only. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "MIXTRAL|--ignore=re:.*experts.3.*|experts.0.w1 and model.layers.0.block_sparse_moe.experts.3.w1"
            + " are run as one in vLLM, model.layers.0.block_sparse_moe.experts,|no scheme for the other",
        "MIXTRAL|--ignore=re:.*w2|experts.0.w2 are run as one|no scheme for the other",
        "QWEN3_MOE|--ignore=re:.*experts.*down_proj|experts.0.gate_proj are run as one|ignore all",
        "QWEN3_MOE|--scheme=W4A16_ASYM|experts.0.down_proj.weight: found the asymmetric scheme|loads symmetric ones only",
        "MIXTRAL|--scheme=FP8_BLOCK --ignore=re:.*self_attn.* --ignore=lm_head|experts.0.w1.weight: the expert's width of 160 does not split|FP8_DYNAMIC",
      })
  void whatVllmWouldRefuseOfExpertsThePlanRefuses(
      TinyFamily family, String option, String what, String more) throws IOException {
    Path model = family.write(folder.resolve("model"));
    List<String> all = new ArrayList<>(List.of("plan", model.toString(), "--algorithm=rtn"));
    all.addAll(List.of(option.split(" ")));
    if (!option.contains("FP8")) {
      all.add("--group-size=32");
    }
    CommandRun plan = CommandRun.of(all.toArray(String[]::new));
    assertThat(plan.code()).isEqualTo(1);
    assertThat(plan.errors()).singleElement().asString().contains(what, more, "--runtime any");
    all.add("--runtime=any");
    CommandRun told = CommandRun.of(all.toArray(String[]::new));
    assertThat(told.code()).as(told.err()).isZero();
    assertThat(told.err()).contains("warning: vLLM will not load this: ", what);
  }

  /** vLLM asks for an expert's gate_proj, up_proj and down_proj, whatever the files call them. */
  @Test
  void vllmFindsTheSchemeOfMixtralsExperts() throws IOException {
    Path model = TinyFamily.MIXTRAL.write(folder.resolve("model"));
    String expert = "model.layers.1.block_sparse_moe.experts.0.";
    Path dense = folder.resolve("dense");
    CommandRun left =
        compress(
            model,
            dense,
            "QuantizationModifier: {scheme: W4A16, group_size: 32, ignore: ['re:.*experts.*',"
                + " lm_head]}");
    assertThat(left.code()).as(left.err()).isZero();
    List<String> ignored = new ArrayList<>();
    new Published(dense)
        .config()
        .at("/quantization_config/ignore")
        .forEach(name -> ignored.add(name.asText()));
    Path mixed = folder.resolve("mixed");
    CommandRun both =
        compress(
            model,
            mixed,
            """
            QuantizationModifier:
              ignore: [lm_head]
              config_groups:
                a: {targets: ['re:.*experts.*'], weights: {num_bits: 8, group_size: 32}}
                b: {targets: [Linear], weights: {num_bits: 4, group_size: 32}}
            """);
    assertThat(both.code()).as(both.err()).isZero();
    JsonNode groups = new Published(mixed).config().at("/quantization_config/config_groups");
    for (String name : List.of("gate_proj", "up_proj", "down_proj", "w1", "w2", "w3")) {
      assertThat(ignored).contains(expert + name);
      assertThat(bits(groups, expert + name)).isEqualTo(8);
    }
    assertThat(bits(groups, "model.layers.1.self_attn.qkv_proj")).isEqualTo(4);
  }

  /** Bits of the one group with a target for a name; 0 where there is none. */
  private static int bits(JsonNode groups, String name) {
    int bits = 0;
    for (JsonNode group : groups) {
      for (JsonNode target : group.get("targets")) {
        String text = target.asText();
        if (text.startsWith("re:") ? name.matches(text.substring(3)) : text.equals(name)) {
          assertThat(bits).isIn(0, group.at("/weights/num_bits").asInt());
          bits = group.at("/weights/num_bits").asInt();
        }
      }
    }
    return bits;
  }

  /** Every weight comes back under its own name, within half a step of its group of 32. */
  @ParameterizedTest
  @EnumSource(names = {"MIXTRAL", "QWEN2_MOE"})
  void compressedExpertsAreReadAsAModel(TinyFamily family) throws IOException {
    Path model = family.write(folder.resolve("model"));
    Path output = folder.resolve("out");
    CommandRun run =
        compress(model, output, "QuantizationModifier: {scheme: W4A16, group_size: 32}");
    assertThat(run.code()).as(run.err()).isZero();
    Path dense = folder.resolve("dense");
    CommandRun read =
        CommandRun.of("decompress", output.toString(), dense.toString(), "--master=local[2]");
    assertThat(read.code()).as(read.err()).isZero();
    Map<String, Tensor> found = new Published(dense).tensors();
    assertThat(found.keySet()).isEqualTo(family.tensors().keySet());
    for (Tensor tensor : family.tensors().values()) {
      if (tensor.name().contains(".experts.")) {
        float[] before = tensor.bf16();
        float[] after = found.get(tensor.name()).bf16();
        for (int group = 0; group < before.length; group += 32) {
          float most = 0;
          for (int i = group; i < group + 32; i++) {
            most = Math.max(most, Math.abs(before[i]));
          }
          for (int i = group; i < group + 32; i++) {
            assertThat(Math.abs(after[i] - before[i])).isLessThan(most / 13);
          }
        }
      }
    }
    CommandRun again =
        CommandRun.of("plan", output.toString(), "--algorithm=gptq", "--group-size=32");
    assertThat(again.code()).as(again.err()).isZero();
  }

  /** With its attention left as it is, only gate and up before it make what down is solved on. */
  @Test
  void anExpertsDownIsSolvedOnWhatItsQuantizedGateAndUpGive() throws IOException {
    Path model = TinyFamily.MIXTRAL.write(folder.resolve("model"));
    Map<String, Map<String, Tensor>> found = new java.util.TreeMap<>();
    for (String order : List.of("true", "false")) {
      Path output = folder.resolve(order);
      CommandRun run =
          compress(
              model,
              output,
              "GPTQModifier: {scheme: W4A16, group_size: 32, true_sequential: %s, ignore: ['re:.*self_attn.*', lm_head]}"
                  .formatted(order));
      assertThat(run.code()).as(run.err()).isZero();
      found.put(order, new Published(output).tensors());
    }
    String expert = "model.layers.0.block_sparse_moe.experts.2.";
    for (String name : List.of("w1", "w3")) {
      assertThat(found.get("true").get(expert + name + ".weight_packed").bytes())
          .isEqualTo(found.get("false").get(expert + name + ".weight_packed").bytes());
    }
    assertThat(found.get("true").get(expert + "w2.weight_packed").bytes())
        .isNotEqualTo(found.get("false").get(expert + "w2.weight_packed").bytes());
  }

  private CommandRun compress(Path model, Path output, String modifier, String... more)
      throws IOException {
    Path recipe = Files.writeString(folder.resolve("recipe.yaml"), modifier + "\n");
    List<String> words = new ArrayList<>(List.of("compress", model.toString(), output.toString()));
    words.addAll(List.of("--recipe=" + recipe, "--master=local[2]"));
    words.addAll(List.of("--samples=" + WINDOWS, "--sequence-length=" + WINDOW));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }
}
