package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
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

  /** Answers with what a task finds of Hadoop's settings. */
  private record Setting(String name) implements ClusterTask<String> {
    @Override
    public String run(TaskEnvironment environment) {
      return environment.configuration().get(name);
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
    try (JavaSparkContext spark = LocalSpark.open(2)) {
      RunSettings settings = RunSettings.ofThisProcess("hog", store.toUri().toString());
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      assertThatThrownBy(() -> runner.call("hog", List.of(new Hog(), new Answer(1))))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("out of memory")
          .hasMessageContaining("-Xmx");
      assertThat(runner.call("more", List.of(new Answer(2), new Answer(3))))
          .containsExactly(2L, 3L);
    }
  }

  @Test
  void hadoopsSettingsCrossOnceForARunAndInNoClosure() throws IOException {
    try (JavaSparkContext spark = LocalSpark.open(1)) {
      spark.hadoopConfiguration().set("fs.test.secret.key", "thisSecretIsInNoClosure");
      RunSettings settings = RunSettings.ofThisProcess("secret", store.toUri().toString());
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      assertThat(runner.call("ask", List.of(new Setting("fs.test.secret.key"))))
          .containsExactly("thisSecretIsInNoClosure");
      // A change in the application's own settings is not for a run under way.
      spark.hadoopConfiguration().set("fs.test.secret.key", "another");
      assertThat(runner.call("ask", List.of(new Setting("fs.test.secret.key"))))
          .containsExactly("thisSecretIsInNoClosure");

      Configuration configuration = new Configuration(spark.hadoopConfiguration());
      configuration.set("fs.test.secret.key", "thisSecretIsInNoClosure");
      Broadcast<SerializableConfiguration> hadoop =
          spark.broadcast(new SerializableConfiguration(configuration));
      TaskFunction<Long> function = new TaskFunction<>(settings, hadoop, Tallies.of(spark.sc()), 1);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
        out.writeObject(function);
      }
      assertThat(bytes.toString(StandardCharsets.ISO_8859_1))
          .contains(store.toUri().toString())
          .doesNotContain("thisSecretIsInNoClosure");
      assertThat(function.toString())
          .contains(store.toUri().toString())
          .doesNotContain("thisSecretIsInNoClosure");
    }
  }
}
