package io.shardpress.spark.layout;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * plan and inspect on headers of large models: scripts/large-layouts runs them at full size within
 * a heap of 1 GB.
 */
class LargeLayoutTest {
  /** Lines that a person reads of a plan, whatever the model's size. */
  private static final int MOST_LINES = 60;

  @TempDir Path folder;

  /** The published models' own counts, which no file here holds. */
  @Test
  void layoutsAreThoseOfThePublishedModels() {
    assertThat(DeepSeek.V3.tensors().all()).hasSize(91_991);
    List<TensorSpecs.Spec> llama = Llama.LLAMA_405B.tensors().all();
    assertThat(llama).hasSize(1137);
    // Two bytes for each of the 405 853 388 800 parameters that it is said to have.
    assertThat(llama.stream().mapToLong(TensorSpecs.Spec::bytes).sum()).isEqualTo(811_706_777_600L);
  }

  @Test
  void aPlanOfManyExpertsIsShort() throws IOException {
    write(new DeepSeek(5, 3, 32, false));
    CommandRun plan = CommandRun.of("plan", folder.toString(), "--algorithm=rtn");
    assertThat(plan.code()).as(plan.err()).isZero();
    assertThat(plan.out().lines().count()).isLessThan(MOST_LINES);
    // 3 blocks with 32 experts each, the one for the token after the next among them.
    assertThat(plan.out())
        .contains("96 x model.layers.*.mlp.experts.*.up_proj.weight BF16 [2048, 7168]  rtn W4A16")
        .contains("3 x model.layers.*.mlp.gate.weight BF16 [32, 7168]  copy")
        .contains("6 x model.layers.*.self_attn.kv_a_proj_with_mqa.weight BF16 [576, 7168]  rtn");
    CommandRun calibrated = CommandRun.of("plan", folder.toString(), "--algorithm=lrq");
    assertThat(calibrated.code()).isEqualTo(1);
    assertThat(calibrated.errors()).singleElement().asString().contains("deepseek_v3");
  }

  @Test
  void weightsInFp8AreDequantizedOnRead() throws IOException {
    DeepSeek model = new DeepSeek(5, 3, 32, true);
    write(model);
    CommandRun plan = CommandRun.of("plan", folder.toString(), "--algorithm=rtn");
    assertThat(plan.code()).as(plan.err()).isZero();
    assertThat(plan.out())
        .contains(
            "96 x model.layers.*.mlp.experts.*.up_proj.weight BF16 [2048, 7168] (dequantized on"
                + " read from fp8 in blocks of 128 x 128)  rtn W4A16")
        .doesNotContain("scale_inv");
    CommandRun list = CommandRun.of("inspect", folder.toString());
    assertThat(list.code()).isZero();
    // A line for the columns' names.
    assertThat(list.out().lines().count()).isEqualTo(1 + model.tensors().all().size());
    // Without the config's word for it, nobody knows what the weights are.
    Files.writeString(folder.resolve("config.json"), new DeepSeek(5, 3, 32, false).config());
    CommandRun unsaid = CommandRun.of("plan", folder.toString(), "--algorithm=rtn");
    assertThat(unsaid.code()).isEqualTo(1);
    assertThat(unsaid.errors()).singleElement().asString().contains("F8_E4M3", "and 335 more");
  }

  /** The down_proj of Llama-3.1-405B has more inputs than an array has rows and columns. */
  @ParameterizedTest
  @ValueSource(strings = {"gptq", "lrq"})
  void aLinearTooWideForItsMomentsIsRefusedInThePlan(String algorithm) throws IOException {
    Llama model = new Llama(1, 16384, 53248, 128, 8, 32_000, false);
    new LayoutWriter(folder, LayoutWriter.SPARSE).write(model.tensors().all(), model.config(), 7);
    CommandRun plan = CommandRun.of("plan", folder.toString(), "--algorithm=" + algorithm);
    assertThat(plan.code()).isEqualTo(1);
    assertThat(plan.errors())
        .singleElement()
        .asString()
        .contains("model.layers.0.mlp.down_proj", "53248 inputs", "46340", "--algorithm rtn");
    assertThat(CommandRun.of("plan", folder.toString(), "--algorithm=rtn").code()).isZero();
  }

  private void write(DeepSeek model) throws IOException {
    new LayoutWriter(folder, LayoutWriter.SPARSE).write(model.tensors().all(), model.config(), 7);
  }
}
