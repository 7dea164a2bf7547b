package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.Matmul.Triangle;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Work that tasks do is counted: for a run, for its progress while it runs, for metrics. */
@Timeout(120)
class WorkTest {
  private static final Map<String, String> JMX =
      Map.of(
          "spark.metrics.conf.*.sink.jmx.class",
          "org.apache.spark.metrics.sink.JmxSink",
          "spark.executor.heartbeatInterval",
          "1s");
  private static final CountDownLatch HEARD = new CountDownLatch(1);

  @TempDir private Path folder;

  /** Reads a tensor, multiplies, writes a part and reads it. */
  private record Busy(PartKey part, TensorRef tensor) implements Step {
    @Override
    public StepKind kind() {
      return new StepKind("busy", 1);
    }

    @Override
    public List<PartKey> parts() {
      return List.of(part);
    }

    @Override
    public void run(TaskEnvironment environment) {
      float[] a = environment.reader().readFloats(tensor);
      float[] c = new float[25];
      environment
          .matmul()
          .multiply(
              Op.AS_IS,
              Op.TRANSPOSED,
              5,
              5,
              3,
              1,
              a,
              0,
              3,
              a,
              0,
              3,
              0,
              c,
              0,
              5,
              environment.workers());
      environment
          .matmul()
          .multiplyTriangle(
              Triangle.UPPER,
              Op.AS_IS,
              Op.TRANSPOSED,
              5,
              3,
              1,
              a,
              0,
              3,
              a,
              0,
              3,
              0,
              c,
              0,
              5,
              environment.workers());
      try (PartWriter writer = environment.store().write(part)) {
        writer.addFloats("c", List.of(5L, 5L), 0, 5, c, 0);
        writer.commit();
      }
    }
  }

  /** Waits in the middle of its work until somebody has heard of it. */
  private record Waiting() implements ClusterTask<Boolean> {
    @Override
    public Boolean run(TaskEnvironment environment) {
      float[] one = {1};
      environment
          .matmul()
          .multiply(
              Op.AS_IS,
              Op.AS_IS,
              1,
              1,
              1,
              1,
              one,
              0,
              1,
              one,
              0,
              1,
              0,
              new float[1],
              0,
              1,
              environment.workers());
      try {
        return HEARD.await(60, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private record Failing(RuntimeException error) implements ClusterTask<Boolean> {
    @Override
    public Boolean run(TaskEnvironment environment) {
      throw error;
    }
  }

  /** What a progress hears. */
  private static final class Heard implements Progress {
    final LinkedBlockingQueue<Work> work = new LinkedBlockingQueue<>();

    @Override
    public void found(String what, int there, int total) {}

    @Override
    public void begin(int total) {}

    @Override
    public void done(String name, double bits, double relativeError) {}

    @Override
    public void reused(String name, double bits) {}

    @Override
    public void working(Work done) {
      work.add(done);
    }

    @Override
    public void end() {}
  }

  private TensorRef tensor() throws IOException {
    Path file = Files.write(folder.resolve("weights"), new byte[100 + 15 * 4]);
    return new TensorRef(
        "w", Dtype.F32, List.of(5L, 3L), file.toUri().toString(), 100, 15 * 4, "weights");
  }

  private StepRunner runner(JavaSparkContext spark) {
    String store = folder.resolve("work").toUri().toString();
    return new StepRunner(spark, RunSettings.ofThisProcess("work", store), () -> {});
  }

  private static Object metric(String name, String attribute) throws Exception {
    MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
    ObjectName pattern = new ObjectName("metrics:name=*.driver.shardpress." + name + ",*");
    assertThat(beans.queryNames(pattern, null)).as(name).hasSize(1);
    return beans.getAttribute(beans.queryNames(pattern, null).iterator().next(), attribute);
  }

  @Test
  void aRunsWorkIsCounted() throws Exception {
    try (JavaSparkContext spark = LocalSpark.open(2, JMX)) {
      StepRunner runner = runner(spark);
      Heard heard = new Heard();
      runner.report(heard);
      Busy one = new Busy(PartKey.of("one").build(), tensor());
      Busy two = new Busy(PartKey.of("two").build(), tensor());
      runner.run("busy", Where.MODEL, List.of(one, two));
      long files = 0;
      try (Stream<Path> parts = Files.walk(folder.resolve("work"))) {
        for (Path part : parts.filter(Files::isRegularFile).toList()) {
          files += Files.size(part);
        }
      }
      // 2·5·5·3 for the product; of the triangle 15 entries of 2·3.
      Work wanted = new Work(2, 2 * (150 + 90), 2 * 60, files);
      assertThat(runner.work()).isEqualTo(wanted);
      assertThat(heard.work).last().isEqualTo(wanted);

      runner.run("busy", Where.MODEL, List.of(one, two, one));
      assertThat(runner.work()).isEqualTo(wanted);
      assertThat(metric("steps.run", "Count")).isEqualTo(2L);
      assertThat(metric("steps.reused", "Count")).isEqualTo(3L);
      assertThat(metric("flop", "Count")).isEqualTo(wanted.flop());
      assertThat(metric("bytes.read", "Count")).isEqualTo(wanted.bytesRead());
      assertThat(metric("bytes.written", "Count")).isEqualTo(wanted.bytesWritten());
      assertThat((Double) metric("taskSeconds.Busy", "Value")).isPositive();

      try (PartReader reader = runner.store().read(one.part())) {
        assertThat(reader.rows()).isEqualTo(1);
      }
    }
  }

  @Test
  void aTaskThatIsStillAtWorkGivesSigns() throws Exception {
    try (JavaSparkContext spark = LocalSpark.open(1, JMX)) {
      StepRunner runner = runner(spark);
      Heard heard = new Heard();
      runner.report(heard);
      Thread watch =
          new Thread(
              () -> {
                try {
                  // No task has ended by then.
                  Work sign = heard.work.take();
                  if (sign.equals(new Work(0, 2, 0, 0))) {
                    HEARD.countDown();
                  }
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      watch.start();
      assertThat(runner.call("waiting", List.of(new Waiting()))).containsExactly(true);
      watch.join();
      assertThat(runner.work()).isEqualTo(new Work(1, 2, 0, 0));
    }
  }

  @Test
  void failuresAreCountedByKind() throws Exception {
    try (JavaSparkContext spark = LocalSpark.open(1, JMX)) {
      StepRunner runner = runner(spark);
      RuntimeException disk = new UncheckedIOException("disk", new IOException("no route"));
      assertThatThrownBy(() -> runner.call("bad", List.of(new Failing(disk))))
          .isInstanceOf(SparkException.class);
      for (int i = 0; i < 2; i++) {
        RuntimeException input = new CheckpointException("model.safetensors: found NaN");
        assertThatThrownBy(() -> runner.call("bad", List.of(new Failing(input))))
            .isInstanceOf(CheckpointException.class)
            .hasMessage("model.safetensors: found NaN");
      }
      assertThatThrownBy(
              () -> runner.call("bad", List.of(new Failing(new ArithmeticException("bug")))))
          .isInstanceOf(SparkException.class);
      assertThat(metric("errors.storage", "Count")).isEqualTo(1L);
      assertThat(metric("errors.input", "Count")).isEqualTo(2L);
      assertThat(metric("errors.other", "Count")).isEqualTo(1L);
      assertThat(metric("errors.memory", "Count")).isEqualTo(0L);
      assertThat(metric("errors.part", "Count")).isEqualTo(0L);
      assertThat(runner.work()).isEqualTo(Work.NONE);
    }
  }
}
