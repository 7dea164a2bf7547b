package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.io.SampleFiles.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Nightly runs that share a part store: what a change does not reach is not computed again, as the
 * run says and as the store's files say, and the bytes are those of a run from scratch.
 */
@SuppressWarnings("NonApiType")
class SecondNightTest {
  private static final String CHANGED = "model.layers.3.self_attn.o_proj";
  private static final int LINEARS = 7;

  @TempDir Path temporary;
  private Path model;
  private Path work;

  @BeforeEach
  void copyModel() throws IOException {
    model = SampleFiles.copy(temporary.resolve("model"));
    for (String name : List.of("tokenizer.json", "calibration.jsonl")) {
      Files.copy(SampleFiles.FOLDER.resolve(name), model.resolve(name));
    }
    work = temporary.resolve("work");
  }

  @Test
  void roundingDoesTheChangedTensorAgain() throws IOException {
    ran(night("first", "QuantizationModifier: {scheme: W4A16}"));
    PartFiles before = PartFiles.of(work);
    assertThat(ran(plan()).out()).contains(": 42 of 42 tensors are there, 0 to do\n");
    change();
    assertThat(ran(plan()).out())
        .contains("  " + CHANGED + ": not known to be the same, no run has read model-00002-of-");
    assertThat(ran(plan("--hash")).out())
        .contains(": 41 of 42 tensors are there, 1 to do\n")
        .contains("  " + CHANGED + ": " + CHANGED + ".weight changed\n");
    assertThat(PartFiles.of(work).since(before)).hasSize(1);
    CommandRun second = ran(night("second", "QuantizationModifier: {scheme: W4A16}"));
    assertThat(second.err())
        .contains("41 of 42 tiles are in the part store, 1 to do")
        .contains("units run: round to nearest 1; found in the part store: digests 2, round");
    TreeSet<Path> made = PartFiles.of(work).since(before);
    assertThat(PartFiles.modules(made)).containsExactly(CHANGED);
    assertThat(made).hasSize(2);
    String groups = "QuantizationModifier: {scheme: W4A16, group_size: 64}";
    Files.writeString(temporary.resolve("recipe.yaml"), groups + "\n");
    assertThat(ran(plan()).out())
        .contains(": 0 of 42 tensors are there, 42 to do\n")
        .contains("  " + CHANGED + ": QuantizationModifier.groups changed\n");
    PartFiles twoNights = PartFiles.of(work);
    CommandRun third = ran(night("third", groups));
    assertThat(third.err())
        .contains("units run: round to nearest 42; found in the part store: digests 2");
    collect(twoNights);
    assertSameAsFromScratch(second, "QuantizationModifier: {scheme: W4A16}");
  }

  /** The third night's tiles stay, and the digests that it shares with the second. */
  private void collect(PartFiles twoNights) throws IOException {
    TreeSet<Path> thirds = PartFiles.of(work).since(twoNights);
    Path lease = Files.writeString(work.resolve("runs/run-of-another-machine.lease"), "");
    CommandRun refused = CommandRun.of("gc", work.toString(), "--keep=1");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.errors().toString()).contains("a run at work here");
    Files.delete(lease);
    assertThat(CommandRun.of("gc", model.toString(), "--keep=1").errors().toString())
        .contains("no record of a run");
    CommandRun gc = ran(CommandRun.of("gc", work.toString(), "--keep=1"));
    // 42 tiles of the first night, one of the second, and a digest of the model as it was.
    assertThat(gc.out()).startsWith("removed 44 parts and 0 unfinished files, ");
    TreeSet<Path> left = new TreeSet<>();
    PartFiles.of(work).paths().forEach(left::add);
    assertThat(left).hasSize(44).containsAll(thirds);
    assertThat(ran(night("fourth", "QuantizationModifier: {scheme: W4A16, group_size: 64}")).err())
        .contains("units run: none");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FlexRoundModifier: {scheme: W4A16, iterations: 1, order: parallel}",
        "[{SmoothQuantModifier: {}}, {GPTQModifier: {scheme: W8A8_STATIC}}]"
      })
  void learnersGoOnFromTheChangedBlock(String modifier) throws IOException {
    ran(night("first", modifier));
    PartFiles before = PartFiles.of(work);
    change();
    CommandRun second = ran(night("second", modifier));
    assertThat(second.err()).contains("3 of 6 blocks are in the part store, 3 to do");
    TreeSet<Path> made = PartFiles.of(work).since(before);
    assertThat(PartFiles.modules(made)).isEqualTo(linearsOfBlocks(3, 4, 5));
    assertSameAsFromScratch(second, modifier);
  }

  @Test
  void keptActivationsSpareTheWayToTheChangedBlock() throws IOException {
    String modifier = "GPTQModifier: {scheme: W4A16}";
    ran(night("first", modifier, "--keep-activations"));
    PartFiles before = PartFiles.of(work);
    change();
    assertThat(ran(plan("--hash")).out())
        .contains(": 3 of 6 blocks are there, 3 to do\n")
        .contains("  model.layers.3: " + CHANGED + ".weight changed\n")
        .contains("  model.layers.4: follows model.layers.3\n");
    CommandRun second = ran(night("second", modifier, "--keep-activations"));
    // One partition: in each of three blocks four passes, four factors, and outputs at once.
    assertThat(second.err())
        .contains("units run: gptq 21, statistics 12, factors 12, outputs 3; found");
    assertThat(PartFiles.modules(PartFiles.of(work).since(before)))
        .isEqualTo(linearsOfBlocks(3, 4, 5));
    assertSameAsFromScratch(second, modifier);
  }

  @Test
  void otherNamesAndTimesChangeNothingAndAnotherTextAll() throws IOException {
    String modifier = "GPTQModifier: {scheme: W4A16}";
    CommandRun first = ran(night("first", modifier));
    Path other = temporary.resolve("elsewhere");
    Files.move(model, other);
    model = other;
    PartFiles before = PartFiles.of(work);
    CommandRun second = ran(night("second", modifier));
    assertThat(second.err())
        .contains("6 of 6 blocks are in the part store, 0 to do")
        .contains("units run: digests 2; found in the part store: gptq 42");
    assertThat(PartFiles.of(work).since(before)).hasSize(2);
    assertThat(second.line()).isEqualTo(first.line());
    Path text = temporary.resolve("other.jsonl");
    Files.copy(SampleFiles.FOLDER.resolve("heldout.jsonl"), text);
    CommandRun third = ran(night("third", modifier, "--calibration=" + text));
    assertThat(third.err()).doesNotContain("blocks are").contains("gptq 42,", "digests 2");
    assertThat(third.line()).isNotEqualTo(first.line());
  }

  private static TreeSet<String> linearsOfBlocks(int... blocks) {
    TreeSet<String> names = new TreeSet<>();
    for (String name : SampleFiles.tensors().keySet()) {
      for (int block : blocks) {
        if (name.matches("model\\.layers\\." + block + "\\..*_proj\\.weight")) {
          names.add(name.replace(".weight", ""));
        }
      }
    }
    assertThat(names).hasSize(LINEARS * blocks.length);
    return names;
  }

  /** Changes signs of some weights of the fourth block. */
  private void change() throws IOException {
    Tensor tensor = SampleFiles.tensors().get(CHANGED + ".weight");
    byte[] bytes = tensor.bytes().clone();
    for (int i = 1; i < 128; i += 2) {
      bytes[i] ^= (byte) 0x80;
    }
    SampleFiles.poke(model.resolve(tensor.shard()), tensor.position(), bytes);
  }

  private void assertSameAsFromScratch(CommandRun run, String modifier) throws IOException {
    work = temporary.resolve("another");
    CommandRun scratch = ran(night("scratch", modifier));
    assertThat(scratch.err()).doesNotContain("are in the part store");
    assertThat(run.line()).isEqualTo(scratch.line());
  }

  private static CommandRun ran(CommandRun run) {
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  /** What plan says with the recipe of the night before. */
  private CommandRun plan(String... more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("plan", model.toString(), "--work=" + work, "--master=local[2]"));
    words.add("--recipe=" + temporary.resolve("recipe.yaml"));
    words.addAll(List.of("--samples=16", "--sequence-length=32"));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }

  private CommandRun night(String name, String modifier, String... more) throws IOException {
    Path recipe = Files.writeString(temporary.resolve("recipe.yaml"), modifier + "\n");
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", model.toString(), temporary.resolve(name).toString()));
    words.addAll(List.of("--recipe=" + recipe, "--work=" + work, "--master=local[2]"));
    words.addAll(List.of("--samples=16", "--sequence-length=32"));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }
}
