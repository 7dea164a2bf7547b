package io.shardpress.spark.learn.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.cli.CommandRun;
import io.shardpress.spark.io.SampleFiles;
import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskMemoryTest {
  @TempDir Path temporary;

  private static SparkConf conf(String memory, int cores, int cpus) {
    return new SparkConf(false)
        .set("spark.executor.memory", memory)
        .set("spark.executor.cores", String.valueOf(cores))
        .set("spark.task.cpus", String.valueOf(cpus));
  }

  @Test
  void tasksFitOrAreRefusedWithWhatTheyNeed() {
    long task = 744L << 20;
    TaskMemory fits = TaskMemory.ofExecutors(task, conf("1000m", 1, 1));
    assertThatCode(() -> fits.check("M")).doesNotThrowAnyException();
    assertThat(fits.warning()).isEmpty();
    assertThatThrownBy(() -> TaskMemory.ofExecutors(task, conf("999m", 1, 1)).check("M"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("M: too large for an executor")
        .hasMessageContaining("needs 1000 MB, the heap is 999 MB")
        .hasMessageContaining("raise spark.executor.memory");
  }

  @Test
  void warnsOfTasksThatFitAloneOnly() {
    TaskMemory memory = TaskMemory.ofExecutors(744L << 20, conf("2g", 4, 1));
    assertThatCode(() -> memory.check("M")).doesNotThrowAnyException();
    assertThat(memory.warning().orElseThrow())
        .startsWith("4 tasks at once may need 3232 MB of an executor's 2048 MB");
    assertThat(TaskMemory.ofExecutors(744L << 20, conf("2g", 4, 2)).warning()).isEmpty();
  }

  @Test
  void planAndCompressRefuseWhatNoExecutorHolds() {
    String model = SampleFiles.FOLDER.toString();
    String memory = "spark.executor.memory=64m";
    CommandRun plan = CommandRun.of("plan", model, "--algorithm", "lrq", "--conf", memory);
    assertThat(plan.code()).isEqualTo(1);
    assertThat(plan.errors().toString()).contains("too large for an executor", "the heap is 64 MB");
    Path output = temporary.resolve("output");
    CommandRun compress =
        CommandRun.of(
            "compress",
            model,
            output.toString(),
            "--master",
            "spark://127.0.0.1:9",
            "--conf",
            memory);
    assertThat(compress.code()).isEqualTo(1);
    assertThat(compress.errors().toString()).contains("too large for an executor");
    assertThat(output).doesNotExist();
    // Rounding has tiles of rows: at most 512 x 256 weights here, in numbers, codes and words.
    CommandRun rtn = CommandRun.of("plan", model, "--algorithm", "rtn", "--conf", memory);
    assertThat(rtn.code()).isEqualTo(1);
    assertThat(rtn.errors().toString()).contains("the largest task needs 258 MB");
    memory = "spark.executor.memory=259m";
    rtn = CommandRun.of("plan", model, "--algorithm", "rtn", "--conf", memory);
    assertThat(rtn.code()).isZero();
    assertThat(rtn.out()).contains("2 MB in the largest task");
  }
}
