package io.shardpress.spark.job.sums;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.spark.app.OpenSession;
import io.shardpress.spark.app.SparkSessions;
import io.shardpress.spark.app.StandardError;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.SampleFiles;
import io.shardpress.spark.job.JobRunner;
import io.shardpress.spark.output.OutputFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
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

  private JobRunner run(Path to, boolean overwrite) {
    OutputFolder target = new OutputFolder(to.toString(), HADOOP);
    JobRunner runner =
        new JobRunner(
            new SumsJob(model), target, Optional.of(work.toString()), StandardError.progress());
    runner.claim(overwrite);
    SparkSettings settings = new SparkSettings(Optional.of("local[2]"), Map.of());
    try (OpenSession session = SparkSessions.open("sums", settings)) {
      Manifest manifest = runner.run(session.context());
      assertThat(manifest.tensors()).hasSize(model.tensors().size());
    } finally {
      target.close();
    }
    return runner;
  }
}
