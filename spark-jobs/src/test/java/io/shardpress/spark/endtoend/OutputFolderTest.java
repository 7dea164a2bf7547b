package io.shardpress.spark.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What may lie in OUTPUT, and what verify says of it. */
class OutputFolderTest {
  @TempDir static Path shared;
  @TempDir Path temporary;

  private static Path finished;
  private static String treeHash;

  @BeforeAll
  static void compressOnce() {
    finished = shared.resolve("finished");
    CommandRun run = compress(finished);
    assertThat(run.code()).as(run.err()).isZero();
    treeHash = run.line();
  }

  private static CommandRun compress(Path output, String... more) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("compress", SampleFiles.FOLDER.toString(), output.toString()));
    words.addAll(List.of("--algorithm=rtn", "--master=local[2]"));
    words.addAll(List.of(more));
    return CommandRun.of(words.toArray(String[]::new));
  }

  private Path copy() throws IOException {
    Path copy = temporary.resolve("copy");
    try (Stream<Path> all = Files.walk(finished)) {
      for (Path file : all.toList()) {
        Files.copy(file, copy.resolve(finished.relativize(file).toString()));
      }
    }
    return copy;
  }

  private static String refused(CommandRun run) {
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.errors()).hasSize(1);
    return run.errors().get(0);
  }

  @Test
  void verifyPrintsTheTreeHash() throws IOException {
    CommandRun run = CommandRun.of("verify", copy().toString());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).isEqualTo(treeHash + "\n");
    assertThat(run.err()).isEmpty();
    assertThat(treeHash).isEqualTo(new Published(finished).treeHash());
  }

  @Test
  void verifySeesOneFlippedByteInAnyFile() throws IOException {
    Path copy = copy();
    for (String name : new Published(copy).files()) {
      Path file = copy.resolve(name);
      byte[] bytes = Files.readAllBytes(file);
      if (name.equals("shardpress.json")) {
        continue;
      }
      for (int at : new int[] {0, bytes.length / 2, bytes.length - 1}) {
        byte[] changed = bytes.clone();
        changed[at] ^= 1;
        Files.write(file, changed);
        CommandRun run = CommandRun.of("verify", copy.toString());
        assertThat(run.code()).as(name).isEqualTo(1);
        assertThat(run.errors()).hasSize(1);
        assertThat(run.errors().get(0)).contains(name + ": found SHA-256");
      }
      Files.write(file, bytes);
    }
    assertThat(CommandRun.of("verify", copy.toString()).code()).isZero();
  }

  @Test
  void verifySeesAChangedManifest() throws IOException {
    Path copy = copy();
    SampleFiles.replace(copy.resolve("shardpress.json"), treeHash, "0".repeat(64));
    assertThat(refused(CommandRun.of("verify", copy.toString()))).contains("tree hash", treeHash);
  }

  @Test
  void verifySeesAbsentShortAndAdditionalFiles() throws IOException {
    Path copy = copy();
    Files.delete(copy.resolve("tokenizer.json"));
    SampleFiles.truncate(copy.resolve("model.safetensors"), 100);
    Files.writeString(copy.resolve("model-00002-of-00002.safetensors"), "stray");
    CommandRun run = CommandRun.of("verify", copy.toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.errors())
        .hasSize(3)
        .anyMatch(line -> line.contains("tokenizer.json: found no such file"))
        .anyMatch(line -> line.contains("model.safetensors: found 100 bytes, wanted "))
        .anyMatch(line -> line.contains("model-00002-of-00002.safetensors: not in the manifest"));
  }

  @Test
  void verifyWantsAManifest() throws IOException {
    Path copy = copy();
    Files.delete(copy.resolve("shardpress.json"));
    assertThat(refused(CommandRun.of("verify", copy.toString()))).contains("no shardpress.json");
    assertThat(refused(CommandRun.of("verify", temporary.resolve("absent").toString())))
        .contains("no shardpress.json");
  }

  @Test
  void aManifestNamesNoFileOutsideItsFolder() throws IOException {
    Path copy = copy();
    Path outside = Files.writeString(temporary.resolve("outside.json"), "keep");
    SampleFiles.replace(
        copy.resolve("shardpress.json"), "\"tokenizer.json\"", "\"../outside.json\"");
    assertThat(refused(CommandRun.of("verify", copy.toString()))).contains("../outside.json");
    assertThat(refused(compress(copy, "--overwrite"))).contains("../outside.json");
    assertThat(outside).hasContent("keep");
    assertThat(copy.resolve("shardpress.json")).exists();
  }

  @Test
  void aFinishedCheckpointIsReplacedOnlyWhenAsked() throws IOException {
    Path copy = copy();
    assertThat(refused(compress(copy))).contains("finished checkpoint", "--overwrite");
    assertThat(CommandRun.of("verify", copy.toString()).line()).isEqualTo(treeHash);
    CommandRun run = compress(copy, "--overwrite", "--scheme=W8A16");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.line()).isNotEqualTo(treeHash);
    assertThat(CommandRun.of("verify", copy.toString()).code()).isZero();
    assertThat(new Published(copy).treeHash()).isEqualTo(run.line());
  }

  @Test
  void otherPeoplesFilesAreNeverTouched() throws IOException {
    Path output = Files.createDirectory(temporary.resolve("theirs"));
    Path file = Files.writeString(output.resolve("notes.txt"), "keep");
    assertThat(refused(compress(output))).contains("empty folder");
    assertThat(refused(compress(output, "--overwrite"))).contains("empty folder");
    assertThat(file).hasContent("keep");
    try (Stream<Path> files = Files.list(output)) {
      assertThat(files).containsExactly(file);
    }
    assertThat(refused(compress(file))).contains(file.toString());
    assertThat(file).hasContent("keep");
  }

  @Test
  void overwriteLeavesWhatTheManifestDoesNotKnow() throws IOException {
    Path copy = copy();
    Path notes = Files.writeString(copy.resolve("notes.txt"), "keep");
    CommandRun run = compress(copy, "--overwrite");
    assertThat(notes).hasContent("keep");
    assertThat(refused(run)).contains("notes.txt");
    assertThat(copy.resolve("shardpress.json")).exists();
    assertThat(copy.resolve("model.safetensors")).exists();
  }

  @Test
  void theModelsOwnFolderIsNoOutput() throws IOException {
    Path model = SampleFiles.copy(temporary.resolve("model"));
    CommandRun run =
        CommandRun.of("compress", model.toString(), model.toString(), "--algorithm=rtn");
    assertThat(refused(run)).contains("empty folder");
  }

  @Test
  void anUnfinishedRunBelongsToItsModelAndRecipe() throws IOException {
    Path output = temporary.resolve("unfinished");
    Files.createDirectories(output.resolve(".shardpress"));
    Files.writeString(output.resolve(".shardpress/run"), "another\n");
    assertThat(refused(compress(output))).contains("unfinished run another");
    assertThat(output.resolve(".shardpress/run")).hasContent("another\n");
  }
}
