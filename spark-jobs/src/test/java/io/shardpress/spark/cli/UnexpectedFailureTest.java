package io.shardpress.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;

class UnexpectedFailureTest {
  @Test
  void namesWhatATaskThrew() {
    SparkConf conf =
        new SparkConf()
            .setMaster("local[1]")
            .setAppName("failing")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.bindAddress", "127.0.0.1");
    Throwable failure;
    try (JavaSparkContext spark = new JavaSparkContext(conf)) {
      failure =
          catchThrowable(() -> spark.parallelize(List.of(1)).foreach(UnexpectedFailureTest::fail));
    }
    assertThat(failure).isInstanceOf(SparkException.class);
    assertThat(UnexpectedFailure.line(failure))
        .isEqualTo("java.lang.IllegalStateException: broken 1");
  }

  private static void fail(int number) {
    throw new IllegalStateException("broken " + number + "\nin many lines");
  }

  @Test
  void findsItInSparksMessageWhereThereIsNoCause() {
    String message =
        "Job aborted due to stage failure: Task 3 in stage 1.0 failed 4 times, most recent failure:"
            + " Lost task 3.3 in stage 1.0 (TID 17) (192.0.2.7 executor 2):"
            + " java.lang.OutOfMemoryError: Java heap space\n\tat a.B.c(B.java:1)\n";
    assertThat(UnexpectedFailure.line(new SparkException(message, null)))
        .isEqualTo("a task failed: java.lang.OutOfMemoryError: Java heap space");
    String full =
        message.replace("java.lang.OutOfMemoryError: Java", "java.io.UncheckedIOException: a/b:");
    assertThat(UnexpectedFailure.line(new SparkException(full, null))).isEqualTo("a/b: heap space");
  }

  @Test
  void saysWhatInputAndOutputSay() {
    IOException cause = new IOException("No space left on device");
    assertThat(UnexpectedFailure.line(new UncheckedIOException("a/b: cannot write: full", cause)))
        .isEqualTo("a/b: cannot write: full");
    assertThat(UnexpectedFailure.line(new IllegalStateException()))
        .isEqualTo("java.lang.IllegalStateException");
  }
}
