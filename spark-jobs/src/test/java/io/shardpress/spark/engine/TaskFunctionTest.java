package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskFunctionTest {
  @TempDir private Path store;

  /** Asks for more than any heap of a test run has, as arrays that are too large do. */
  private record Hog() implements ClusterTask<Long> {
    @Override
    public Long run(TaskEnvironment environment) {
      long[][] arrays = new long[64][];
      for (int i = 0; i < arrays.length; i++) {
        arrays[i] = new long[Integer.MAX_VALUE - 8];
      }
      return (long) arrays.length;
    }
  }

  private record Answer(long value) implements ClusterTask<Long> {
    @Override
    public Long run(TaskEnvironment environment) {
      return value;
    }
  }

  @Test
  void aTaskWithoutMemoryEndsTheRunWithAWordAndNotTheProcess() {
    SparkConf conf =
        new SparkConf()
            .setMaster("local[2]")
            .setAppName("hog")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.bindAddress", "127.0.0.1");
    try (JavaSparkContext spark = new JavaSparkContext(conf)) {
      RunSettings settings = RunSettings.ofThisProcess(Map.of(), store.toUri().toString());
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      assertThatThrownBy(() -> runner.call("hog", List.of(new Hog(), new Answer(1))))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("out of memory")
          .hasMessageContaining("-Xmx");
      assertThat(runner.call("more", List.of(new Answer(2), new Answer(3))))
          .containsExactly(2L, 3L);
    }
  }
}
