package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Independent steps side by side. */
@Timeout(120)
class LanesTest {
  private static final CyclicBarrier BOTH_HERE = new CyclicBarrier(2);
  private static final LinkedBlockingQueue<Throwable> LEFT = new LinkedBlockingQueue<>();
  private static volatile CountDownLatch begun;

  @TempDir private Path folder;

  @BeforeEach
  void clear() {
    LEFT.clear();
    begun = new CountDownLatch(1);
  }

  /** Ends only where another of its kind runs at the same time. */
  private record Meeting() implements ClusterTask<Boolean> {
    @Override
    public Boolean run(TaskEnvironment environment) {
      try {
        BOTH_HERE.await(60, TimeUnit.SECONDS);
        return true;
      } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
        throw new IllegalStateException("alone", e);
      }
    }
  }

  /** Works until it is killed. */
  private record Endless() implements ClusterTask<Boolean> {
    @Override
    public Boolean run(TaskEnvironment environment) {
      begun.countDown();
      try {
        while (true) {
          environment.checkpoint();
          Thread.onSpinWait();
        }
      } catch (TaskKilledException e) {
        LEFT.add(e);
        throw e;
      }
    }
  }

  /** Fails once the endless one is at work. */
  private record Failing() implements ClusterTask<Boolean> {
    @Override
    public Boolean run(TaskEnvironment environment) {
      try {
        if (!begun.await(60, TimeUnit.SECONDS)) {
          throw new IllegalStateException("alone");
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      throw new CheckpointException("model.safetensors: found NaN");
    }
  }

  /** Writes numbers that follow from its seed. */
  private record Numbers(int seed) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("numbers", 1);
    }

    @Override
    public void run(TaskEnvironment environment) {
      float[] values = new float[1000];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) Math.sin(seed + i);
      }
      try (PartWriter writer = environment.store().write(part())) {
        writer.addFloats("x", List.of(1L, 1000L), 0, 1, values, 0);
        writer.commit();
      }
    }
  }

  private static final class Jobs extends SparkListener {
    final List<Properties> started = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void onJobStart(SparkListenerJobStart job) {
      started.add(job.properties());
    }
  }

  private StepRunner runner(JavaSparkContext spark, String store) {
    String uri = folder.resolve(store).toUri().toString();
    return new StepRunner(spark, RunSettings.ofThisProcess("lanes", uri), () -> {});
  }

  @ParameterizedTest
  @ValueSource(strings = {"FIFO", "FAIR"})
  void stepsOverlap(String mode) throws Exception {
    try (JavaSparkContext spark = LocalSpark.open(2, Map.of("spark.scheduler.mode", mode))) {
      Jobs jobs = new Jobs();
      spark.sc().addSparkListener(jobs);
      StepRunner runner = runner(spark, "work");
      List<Boolean> met = Collections.synchronizedList(new ArrayList<>());
      runner.sideBySide(
          List.of(
              () -> met.addAll(runner.call("one", List.of(new Meeting()))),
              () -> met.addAll(runner.call("other", List.of(new Meeting())))));
      assertThat(met).containsExactly(true, true);
      assertThat(spark.getJobTags()).isEmpty();
      assertThat(spark.getLocalProperty("spark.scheduler.pool")).isNull();

      spark.setLocalProperty("spark.scheduler.pool", "the caller's");
      runner.sideBySide(
          List.of(
              () -> runner.call("one", List.of(new Meeting())),
              () -> runner.call("other", List.of(new Meeting()))));
      spark.sc().listenerBus().waitUntilEmpty();
      boolean fair = mode.equals("FAIR");
      assertThat(jobs.started)
          .extracting(
              job -> job.getProperty("spark.jobGroup.id"),
              job -> job.getProperty("spark.job.description"),
              job -> job.getProperty("spark.scheduler.pool"))
          .containsExactlyInAnyOrder(
              tuple("lanes", "one", fair ? "shardpress 1" : null),
              tuple("lanes", "other", fair ? "shardpress 2" : null),
              tuple("lanes", "one", "the caller's"),
              tuple("lanes", "other", "the caller's"));
    }
  }

  @Test
  void aFailureEndsTheOthers() throws Exception {
    try (JavaSparkContext spark = LocalSpark.open(2)) {
      StepRunner runner = runner(spark, "work");
      List<String> after = Collections.synchronizedList(new ArrayList<>());
      assertThatThrownBy(
              () ->
                  runner.sideBySide(
                      List.of(
                          () -> {
                            runner.call("endless", List.of(new Endless()));
                            after.add("endless");
                          },
                          () -> runner.call("failing", List.of(new Failing())))))
          .isInstanceOf(CheckpointException.class)
          .hasMessage("model.safetensors: found NaN");
      assertThat(LEFT.poll(60, TimeUnit.SECONDS)).isInstanceOf(TaskKilledException.class);
      assertThat(after).isEmpty();
      // Others go on as before.
      assertThat(runner.run("numbers", Where.MODEL, List.of(new Numbers(1))).run()).isEqualTo(1);
    }
  }

  /** What is between two jobs when another lane fails begins no more. */
  @Test
  void aLaneBeginsNothingAfterAFailure() {
    try (JavaSparkContext spark = LocalSpark.open(1)) {
      StepRunner runner = runner(spark, "work");
      CountDownLatch failed = new CountDownLatch(1);
      assertThatThrownBy(
              () ->
                  runner.sideBySide(
                      List.of(
                          () -> {
                            try {
                              begun.countDown();
                              runner.call("failing", List.of(new Failing()));
                            } finally {
                              failed.countDown();
                            }
                          },
                          () -> {
                            awaitFailure(failed);
                            runner.run("numbers", Where.MODEL, List.of(new Numbers(2)));
                          })))
          .isInstanceOf(CheckpointException.class);
      assertThat(runner.store().has(new Numbers(2).part())).isFalse();
    }
  }

  private static void awaitFailure(CountDownLatch failed) {
    try {
      failed.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    // It is noted right after.
    boolean noted = false;
    while (!noted) {
      try {
        Lanes.checkpoint();
      } catch (IllegalStateException e) {
        noted = true;
      }
    }
  }

  @Test
  void numbersDoNotDependOnIt() throws IOException {
    try (JavaSparkContext spark = LocalSpark.open(2)) {
      StepRunner one = runner(spark, "one");
      List<Runnable> lanes = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        List<Numbers> steps = List.of(new Numbers(i), new Numbers(100 + i));
        lanes.add(() -> one.run("numbers", Where.MODEL, steps));
      }
      lanes.forEach(Runnable::run);
      StepRunner other = runner(spark, "other");
      lanes.clear();
      for (int i = 0; i < 6; i++) {
        List<Numbers> steps = List.of(new Numbers(i), new Numbers(100 + i));
        lanes.add(() -> other.run("numbers", Where.MODEL, steps));
      }
      other.sideBySide(lanes);
      assertThat(other.steps().get("numbers").run()).isEqualTo(12);
      assertThat(other.work()).isEqualTo(one.work());
    }
    assertThat(files("other")).hasSize(12).isEqualTo(files("one"));
  }

  private Map<String, List<Byte>> files(String store) throws IOException {
    Map<String, List<Byte>> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder.resolve(store))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        List<Byte> bytes = new ArrayList<>();
        for (byte one : Files.readAllBytes(file)) {
          bytes.add(one);
        }
        files.put(file.getFileName().toString(), bytes);
      }
    }
    return files;
  }
}
