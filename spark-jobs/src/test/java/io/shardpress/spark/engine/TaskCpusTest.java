package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskCpusTest {
  /** Each task gets what its executor has over, and never less than Spark is set to. */
  @ParameterizedTest
  @CsvSource({
    "1, 8, 1, 1, 8", // learning a block
    "1, 8, 4, 1, 8",
    "1, 8, 4, 3, 8",
    "1, 8, 1, 3, 2",
    "1, 8, 2, 3, 4",
    "1, 8, 2, 400, 1",
    "2, 8, 2, 400, 2",
    "1, 2, 0, 1, 2" // before any executor is there
  })
  void shares(int least, int cores, int executors, int tasks, int cpus) {
    assertThat(TaskCpus.share(least, cores, executors, tasks)).isEqualTo(cpus);
  }
}
