package io.shardpress.spark.job.sums;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.ChildProcess;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.job.JobRunner;
import io.shardpress.spark.output.OutputFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The lease, resuming, mending, the manifest, verify and gc are there for any job. */
class SumsJobTest {
  private static final Configuration HADOOP = new Configuration();

  @TempDir private Path folder;
  private Path output;
  private Path work;
  private Checkpoint model;

  @BeforeEach
  void writeModel() throws IOException {
    model = Checkpoint.open(SmallModel.write(folder.resolve("model")).toString(), HADOOP);
    output = folder.resolve("out");
    work = folder.resolve("work");
  }

  @Test
  void itsFolderIsVerifiedItsPartsAreReusedAndCollected() {
    JobRunner first = run(output, false);
    int tensors = model.tensors().size();
    assertThat(first.steps().split(";")[0]).contains("sums " + tensors);
    assertThat(CommandRun.of("verify", output.toString()).code()).isZero();
    Map<String, float[]> sums =
        SampleFiles.read(output, Sums.FILE).stream()
            .collect(Collectors.toMap(t -> t.name(), t -> new float[] {t.ints().get(0)}));
    assertThat(sums).hasSize(tensors);
    JobRunner second = run(folder.resolve("again"), false);
    assertThat(second.steps().split(";")[0]).doesNotContain("sums");
    assertThat(new OutputFolder(folder.resolve("again").toString(), HADOOP).manifest().treeHash())
        .isEqualTo(new OutputFolder(output.toString(), HADOOP).manifest().treeHash());
    CommandRun gc = CommandRun.of("gc", work.toString(), "--keep=1");
    assertThat(gc.code()).as(gc.err()).isZero();
    assertThat(gc.out()).contains("of 1 runs");
  }

  @Test
  void aFinishedFolderIsNotTakenAgain() {
    run(output, false);
    assertThatThrownBy(() -> run(output, false))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("finished checkpoint");
    run(output, true);
  }

  @Test
  void aKilledDriverGoesOn() throws Exception {
    Path apart = folder.resolve("apart");
    SumsMain.run(model, folder.resolve("undisturbed").toString(), apart.toString(), false);
    int all = parts(apart).size();
    int sums = model.tensors().size();

    Process killed = start("killed", 100);
    while (parts(work).size() < all - sums + 3 && killed.isAlive()) {
      Thread.sleep(5);
    }
    assertThat(killed.isAlive()).as(() -> log("killed")).isTrue();
    killed.destroyForcibly().waitFor();
    assertThat(output.resolve("shardpress.json")).doesNotExist();
    Map<String, Object> left = parts(work);
    assertThat(left).hasSizeBetween(all - sums + 3, all - 1);

    Process second = start("second", 0);
    assertThat(second.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(second.exitValue()).as(() -> log("second")).isZero();
    assertThat(parts(work)).containsAllEntriesOf(left).containsOnlyKeys(parts(apart).keySet());
    CommandRun verified = CommandRun.of("verify", output.toString());
    assertThat(verified.code()).as(verified.err()).isZero();
    assertThat(CommandRun.of("verify", folder.resolve("undisturbed").toString()).line())
        .isEqualTo(verified.line());
  }

  /** Names of a store's parts, and when each was written. */
  private static Map<String, Object> parts(Path store) throws IOException {
    Map<String, Object> found = new TreeMap<>();
    if (Files.exists(store)) {
      try (Stream<Path> files = Files.walk(store)) {
        for (Path file : files.toList()) {
          String name = file.getFileName().toString();
          if (name.endsWith(".arrow") && !name.startsWith(".")) {
            found.put(name, Files.getLastModifiedTime(file));
          }
        }
      }
    }
    return found;
  }

  private Process start(String name, int pause) throws IOException {
    return ChildProcess.start(
        SumsMain.class,
        folder.resolve(name + ".out"),
        folder.resolve(name + ".err"),
        Map.of(SumStep.PAUSE, String.valueOf(pause)),
        folder.resolve("model").toString(),
        output.toString(),
        work.toString());
  }

  private String log(String name) {
    try {
      return Files.readString(folder.resolve(name + ".err"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private JobRunner run(Path to, boolean overwrite) {
    return SumsMain.run(model, to.toString(), work.toString(), overwrite);
  }
}
