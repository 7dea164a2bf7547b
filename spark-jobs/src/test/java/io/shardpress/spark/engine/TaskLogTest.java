package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.Property;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What logs have of a task at info, and that conf/log4j2.properties leaves it out. */
class TaskLogTest {
  private static final String OURS = "io.shardpress";

  @TempDir private Path store;

  private record Answer(boolean fails) implements ClusterTask<Boolean> {
    @Override
    public Boolean run(TaskEnvironment environment) {
      if (fails) {
        throw new CheckpointException("model.safetensors: found NaN");
      }
      return true;
    }
  }

  private static final class Kept extends AbstractAppender {
    final List<String> lines = new ArrayList<>();

    Kept() {
      super("kept", null, null, false, Property.EMPTY_ARRAY);
    }

    @Override
    public synchronized void append(LogEvent event) {
      lines.add(event.getMessage().getFormattedMessage());
    }
  }

  @AfterEach
  void quiet() {
    Configurator.setLevel(OURS, Level.WARN);
  }

  private void run() {
    try (JavaSparkContext spark = LocalSpark.open(1)) {
      RunSettings settings = RunSettings.ofThisProcess("log", store.toUri().toString());
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      assertThat(runner.call("ask", List.of(new Answer(false)))).containsExactly(true);
      assertThatThrownBy(() -> runner.call("ask", List.of(new Answer(true))))
          .isInstanceOf(CheckpointException.class);
      runner.run("nothing", Where.MODEL, List.of());
    }
  }

  @Test
  void aLineForEachTaskAndStepAtInfoAndNoneAtWarn() {
    Kept kept = new Kept();
    kept.start();
    Logger root = (Logger) LogManager.getRootLogger();
    root.addAppender(kept);
    try {
      run();
      assertThat(kept.lines).noneMatch(line -> line.startsWith("ask:"));
      Configurator.setLevel(OURS, Level.INFO);
      run();
    } finally {
      root.removeAppender(kept);
      kept.stop();
    }
    assertThat(kept.lines)
        .filteredOn(line -> line.matches("(ask|nothing): .*"))
        .hasSize(3)
        .anyMatch(
            line ->
                line.matches(
                        "ask: Answer 0 took \\d+\\.\\d s, \\d+\\.\\d CPU s of 1 threads; 0\\.0"
                            + " Gflop, read 0\\.0 MB, wrote 0\\.0 MB; .*")
                    && line.endsWith(RunSettings.ofThisProcess("", "").arithmetic()))
        .contains("nothing: 0 steps run, 0 found in the part store")
        .anyMatch(
            line -> line.startsWith("ask: task 0 failed (input): ") && line.endsWith("found NaN"));
  }
}
