package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What plan and compress say of how many tasks can run side by side. */
class ParallelismTest {
  @TempDir static Path shared;
  @TempDir Path temporary;

  private static Path model;

  @BeforeAll
  static void writeModel() throws IOException {
    model = SmallModel.write(shared.resolve("model"));
  }

  /** Two blocks of seven linears; 300 windows of 32 tokens are two partitions of 8192 at most. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "QuantizationModifier: {scheme: W4A16}|rounding: 14 tasks for all tensors",
        "GPTQModifier: {scheme: W4A16}|gptq, in each block: statistics 2 tasks, factors 1, solves qkv 3, o 1, gate,up 2, down 1",
        "GPTQModifier: {scheme: W4A16, scale_iterations: 7}|steps on scales, in each block: 7 times 2 tasks",
        "CoupledModifier: {scheme: W4A16, draws: 3}|coupled, once: each block forward 2 tasks, back 6, row factors 4; 7 in order",
        "CoupledModifier: {scheme: W4A16}|coupled, in each block: descents qkv 1, o 1, gate,up 1, down 1; with gptq before them 34 in order",
        "[{CoupledModifier: {scheme: W4A16}}, {EndToEndModifier: {integers: 0.1}}]|end to end: 20 times 1 tasks, then 3; 40 in order; 128462 numbers learned, 4.1 MB through the store a step",
        "LRQModifier: {scheme: W4A16}|lrq: 1 task, block after block",
        "LRQModifier: {scheme: W4A16, objective: layer}|gptq, in each block: statistics 2 tasks, factors 1, solves qkv 3, o 1, gate,up 2, down 1",
        "LRQModifier: {scheme: W4A16, objective: layer, init: rtn}|gptq, in each block: statistics 2 tasks, factors 1, solves qkv 3, o 1, gate,up 2, down 1",
        "FlexRoundModifier: {scheme: W4A16, order: parallel, touch_up: 3}|flexround: 2 tasks, one for each block",
        "AWQModifier: {scheme: W4A16}|awq: inputs of each block 2 tasks, then 2 for all blocks"
      })
  void thePlanSaysIt(String modifier, String line) throws IOException {
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(recipe, modifier + "\n");
    CommandRun run =
        CommandRun.of(
            "plan",
            model.toString(),
            "--recipe=" + recipe,
            "--samples=300",
            "--sequence-length=32");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("side by side: " + line + System.lineSeparator());
  }

  @Test
  void compressWarnsOfOneTaskAtATime() throws IOException {
    Path recipe = temporary.resolve("recipe.yaml");
    Files.writeString(recipe, "FlexRoundModifier: {scheme: W4A16, iterations: 1}\n");
    CommandRun run =
        CommandRun.of(
            "compress",
            model.toString(),
            temporary.resolve("out").toString(),
            "--recipe=" + recipe,
            "--samples=16",
            "--sequence-length=32");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err())
        .contains("warning: flexround learns block after block, one task at a time");
  }
}
