package io.shardpress.spark.learn.blockwise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.endtoend.SmallModel;
import io.shardpress.spark.engine.DigestStep;
import io.shardpress.spark.engine.LocalSpark;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.Contents;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.Activations;
import io.shardpress.spark.sweep.SamplePartition;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tasks that Spark kills leave their cores. Each of these would be at work for hours: what ends it
 * within the test's time is the kill.
 */
@Timeout(300)
class KilledTaskTest {
  private static final int WINDOWS = 4;
  private static final int WINDOW = 16;
  private static final long SPARSE_BYTES = 4L << 40;

  /** Attempts that have begun, and what they left run() with. */
  private static final LinkedBlockingQueue<Attempt> BEGUN = new LinkedBlockingQueue<>();

  private static final LinkedBlockingQueue<Throwable> LEFT = new LinkedBlockingQueue<>();

  @TempDir private Path folder;
  private RunSettings settings;
  private PartStore store;

  @BeforeEach
  void clear() {
    BEGUN.clear();
    LEFT.clear();
    settings = RunSettings.ofThisProcess("a run", folder.resolve("work").toUri().toString());
    store = new PartStore(settings.store(), new Configuration(false));
  }

  @AfterEach
  void nothingIsLeftInTheStore() throws IOException {
    if (folder.resolve("work").toFile().exists()) {
      try (Stream<Path> files = Files.walk(folder.resolve("work"))) {
        assertThat(files.filter(file -> file.getFileName().toString().startsWith("."))).isEmpty();
      }
    }
  }

  /** An attempt at a task, by its id, and the thread that runs it. */
  private record Attempt(long id, Thread thread) {
    /** Waits until it is in the middle of its work. */
    Attempt atWorkOn(String kind) throws InterruptedException {
      String method =
          switch (kind) {
            case "learning a block" -> "BlockwiseLearner.step";
            case "reading" -> "DigestStep.digest";
            case "writing" -> "PartWriter.addFloats";
            default -> "PartReader.row";
          };
      while (Stream.of(thread.getStackTrace())
          .noneMatch(
              frame -> (frame.getClassName() + "." + frame.getMethodName()).endsWith(method))) {
        Thread.sleep(1);
      }
      return this;
    }
  }

  private static Attempt begun(String kind) throws InterruptedException {
    Attempt attempt = BEGUN.poll(60, TimeUnit.SECONDS);
    assertThat(attempt).isNotNull();
    return attempt.atWorkOn(kind);
  }

  /** Tells of another step's beginning and end. */
  private record Watched(Step step) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("watched", 1);
    }

    @Override
    public List<PartKey> parts() {
      return step.parts();
    }

    @Override
    public void run(TaskEnvironment environment) {
      BEGUN.add(new Attempt(TaskContext.get().taskAttemptId(), Thread.currentThread()));
      try {
        step.run(environment);
      } catch (Throwable e) {
        LEFT.add(e);
        throw e;
      }
    }
  }

  /** Writes rows until somebody ends it. */
  private record Endless(PartKey part) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("endless", 1);
    }

    @Override
    public List<PartKey> parts() {
      return List.of(part);
    }

    @Override
    public void run(TaskEnvironment environment) {
      try (PartWriter writer = environment.store().write(part)) {
        for (long row = 0; row < Long.MAX_VALUE; row++) {
          writer.addFloats("row", List.of(1L, 8L), row, 1, new float[8], 0);
        }
        writer.commit();
      }
    }
  }

  /** As long as only a first attempt is: its twin has nothing to do. */
  private record Overtaken(Step first) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("overtaken", 1);
    }

    @Override
    public List<PartKey> parts() {
      return first.parts();
    }

    @Override
    public void run(TaskEnvironment environment) {
      if (TaskContext.get().attemptNumber() == 0) {
        first.run(environment);
      }
    }
  }

  private BlockwiseStep blockwise() throws IOException {
    Path model = SmallModel.write(folder.resolve("model"));
    Checkpoint checkpoint = Contents.named(Checkpoint.open(model.toString(), new Configuration()));
    BlockSpec spec = BlockSpec.of(checkpoint, checkpoint.config(), 0);
    Map<LinearRole, WeightScheme> schemes = new TreeMap<>();
    LinearRole.SEPARATE.forEach(role -> schemes.put(role, new WeightScheme(4, false, 32)));
    PartKey windows = PartKey.of("windows").build();
    int hidden = spec.shape().hidden();
    try (PartWriter writer = store.write(windows)) {
      float[] values = new float[WINDOWS * WINDOW * hidden];
      for (int i = 0; i < values.length; i++) {
        values[i] = (i % 7 - 3) / 3f;
      }
      Activations.write(writer, WINDOWS, 0, WINDOWS, WINDOW, values, hidden);
      writer.commit();
    }
    BlockwiseSettings settings =
        new BlockwiseSettings(
            BlockwiseSettings.Order.SEQUENTIAL, 100_000_000, 1e-3, 2, false, 0, 0, false, 0);
    return new BlockwiseStep(
        "any",
        spec,
        schemes,
        ScaleFormat.BF16,
        Map.of(),
        List.of(windows),
        List.of(windows),
        List.of(new SamplePartition(0, 0, WINDOWS)),
        WINDOW,
        ModifierKind.FLEX_ROUND,
        settings,
        null,
        false);
  }

  private DigestStep digest() throws IOException {
    Path sparse = folder.resolve("sparse");
    try (RandomAccessFile zeros = new RandomAccessFile(sparse.toFile(), "rw")) {
      zeros.setLength(SPARSE_BYTES);
    }
    CheckpointFile file =
        new CheckpointFile("sparse", sparse.toUri().toString(), SPARSE_BYTES, 0, "");
    return new DigestStep(
        file,
        List.of(
            new DigestStep.FileTensor(
                "zeros", Dtype.BF16, List.of(SPARSE_BYTES / 2), 0, SPARSE_BYTES)));
  }

  private Step step(String kind) throws IOException {
    return switch (kind) {
      case "learning a block" -> blockwise();
      case "reading" -> digest();
      default -> new Endless(PartKey.of("endless").build());
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"learning a block", "reading", "writing"})
  void endWithTheirJobGroup(String kind) throws Exception {
    Step whole = step(kind);
    PartKey part = whole.part();
    Step step = new Watched(whole);
    try (JavaSparkContext spark = LocalSpark.open(2)) {
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      CompletableFuture<Void> run =
          CompletableFuture.runAsync(() -> runner.run(kind, Where.MODEL, List.of(step)));
      begun(kind);
      spark.cancelJobGroup("a run");
      assertThat(LEFT.poll(60, TimeUnit.SECONDS)).isInstanceOf(TaskKilledException.class);
      assertThatThrownBy(() -> run.get(60, TimeUnit.SECONDS)).hasMessageContaining("cancelled");
    }
    assertThat(store.has(part)).isFalse();
  }

  /** As Spark does with the attempt whose twin was faster. */
  @ParameterizedTest
  @ValueSource(strings = {"learning a block", "reading", "writing"})
  void endWhenTheirTwinHasOvertakenThem(String kind) throws Exception {
    Step whole = step(kind);
    PartKey part = whole.part();
    Step step = new Overtaken(new Watched(whole));
    try (JavaSparkContext spark = LocalSpark.open(2)) {
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      CompletableFuture<StepRunner.Ran> run =
          CompletableFuture.supplyAsync(() -> runner.run(kind, Where.MODEL, List.of(step)));
      spark.sc().killTaskAttempt(begun(kind).id(), true, "another attempt succeeded");
      assertThat(LEFT.poll(60, TimeUnit.SECONDS)).isNotNull();
      assertThat(run.get(60, TimeUnit.SECONDS).run()).isEqualTo(1);
    }
    assertThat(store.has(part)).isFalse();
  }

  /** Who is killed says nothing of the parts that it was reading. */
  @Test
  void aReadThatBreaksOffIsNoBadPart() throws Exception {
    PartKey part = PartKey.of("many rows").build();
    try (PartWriter writer = store.write(part)) {
      for (int row = 0; row < 64; row++) {
        writer.addFloats("row", List.of(1L, 8L), row, 1, new float[8], 0);
      }
      writer.commit();
    }
    Step reads = new Watched(new Rereading(part));
    try (JavaSparkContext spark = LocalSpark.open(1)) {
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      CompletableFuture<StepRunner.Ran> run =
          CompletableFuture.supplyAsync(
              () -> runner.run("reads", Where.MODEL, List.of(new Overtaken(reads))));
      spark.sc().killTaskAttempt(begun("rereading").id(), true, "another attempt succeeded");
      assertThat(LEFT.poll(60, TimeUnit.SECONDS)).isNotNull();
      assertThat(run.get(60, TimeUnit.SECONDS).run()).isEqualTo(1);
    }
  }

  /** Reads a part over and over. */
  private record Rereading(PartKey other) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("rereading", 1);
    }

    @Override
    public List<PartKey> parts() {
      return List.of(PartKey.of("never written").build());
    }

    @Override
    public void run(TaskEnvironment environment) {
      for (long i = 0; i < Long.MAX_VALUE; i++) {
        try (PartReader reader = environment.store().read(other)) {
          for (int row = 0; row < reader.rows(); row++) {
            reader.row(row);
          }
        }
      }
    }
  }
}
