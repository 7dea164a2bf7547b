package io.shardpress.spark.layout;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
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

  /** In GGUF experts of a block are one tensor, and a vision tower is none. */
  @ParameterizedTest
  @EnumSource(FamilyLayout.class)
  void everyTensorHasItsPlaceInGguf(FamilyLayout layout) throws IOException {
    List<TensorSpecs.Spec> tensors = layout.tensors().all();
    new LayoutWriter(folder, LayoutWriter.SPARSE).write(tensors, layout.config(), 3);
    Files.copy(SampleFiles.FOLDER.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    CommandRun plan = CommandRun.of("plan", folder.toString(), "--algorithm=gptq", "--format=gguf");
    assertThat(plan.code()).as(plan.err()).isZero();
    Set<String> wanted = new HashSet<>();
    for (TensorSpecs.Spec tensor : tensors) {
      if (!tensor.name().matches("(vision_tower|multi_modal_projector)\\..*")) {
        wanted.add(tensor.name().replaceFirst("\\.experts\\.\\d+\\.", ".experts."));
      }
    }
    // The factors of longrope.
    int more = layout == FamilyLayout.PHI_4_MINI ? 2 : 0;
    Matcher counts = Pattern.compile("gguf: .* tensors: (.*)").matcher(plan.out());
    assertThat(counts.find()).isTrue();
    int found =
        Pattern.compile("(\\d+) (F32|Q4_0|BF16)")
            .matcher(counts.group(1))
            .results()
            .mapToInt(one -> Integer.parseInt(one.group(1)))
            .sum();
    assertThat(found).as(counts.group()).isEqualTo(wanted.size() + more);
  }
}
