package io.shardpress.spark.layout;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Plans of published models at full size, from config.json and headers alone. */
class FamilyLayoutTest {
  /** What may stay as it is: all else of a language model is a linear. */
  private static final Pattern KEPT =
      Pattern.compile(
          ".*(norm\\.weight|\\.bias|embed_tokens\\.weight|lm_head\\.weight|mlp\\.gate\\.weight"
              + "|block_sparse_moe\\.gate\\.weight|shared_expert_gate\\.weight)"
              + "|(vision_tower|multi_modal_projector)\\..*");

  private static final Pattern LINE =
      Pattern.compile(" *(\\d+) x (\\S+) BF16 \\[[\\d, ]+\\]  (copy .*|gptq W4A16 group 128)");

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(FamilyLayout.class)
  void everyTensorHasItsPlace(FamilyLayout layout) throws IOException {
    List<TensorSpecs.Spec> tensors = layout.tensors().all();
    new LayoutWriter(folder, LayoutWriter.SPARSE).write(tensors, layout.config(), 3);
    CommandRun plan = CommandRun.of("plan", folder.toString(), "--algorithm=gptq");
    assertThat(plan.code()).as(plan.err()).isZero();
    int quantized = 0;
    int kept = 0;
    for (String line : plan.out().lines().toList()) {
      var matcher = LINE.matcher(line);
      if (!matcher.matches()) {
        continue;
      }
      int count = Integer.parseInt(matcher.group(1));
      boolean stays = KEPT.matcher(matcher.group(2)).matches();
      assertThat(matcher.group(3).startsWith("copy")).as(line).isEqualTo(stays);
      quantized += stays ? 0 : count;
      kept += stays ? count : 0;
    }
    assertThat(quantized + kept).as(plan.out()).isEqualTo(tensors.size());
    assertThat(quantized)
        .isEqualTo((int) tensors.stream().filter(t -> !KEPT.matcher(t.name()).matches()).count());
  }
}
