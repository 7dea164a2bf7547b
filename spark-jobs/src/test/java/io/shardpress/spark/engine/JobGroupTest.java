package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What others see of a run's Spark jobs, and what is left of it in their session. */
class JobGroupTest {
  @TempDir private Path store;

  private record Answer(long value) implements ClusterTask<Long> {
    @Override
    public Long run(TaskEnvironment environment) {
      if (value < 0) {
        throw new IllegalStateException("asked to fail");
      }
      return value;
    }
  }

  private record Ten(long ignored) implements SharedTask<Integer, Integer> {
    @Override
    public Integer run(Integer shared, TaskEnvironment environment) {
      return 10 * shared;
    }
  }

  /** Properties of the jobs that began, as Spark tells its listeners. */
  private static final class Jobs extends SparkListener {
    final List<Properties> started = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void onJobStart(SparkListenerJobStart job) {
      started.add(job.properties());
    }
  }

  @Test
  void jobsAreNamedAfterTheRunAndTheCallersNamesStay() throws Exception {
    try (JavaSparkContext spark = LocalSpark.open(1)) {
      Jobs jobs = new Jobs();
      spark.sc().addSparkListener(jobs);
      RunSettings settings = RunSettings.ofThisProcess("0815", store.toUri().toString());
      StepRunner runner = new StepRunner(spark, settings, () -> {});
      runner.call("first", List.of(new Answer(1)));
      assertThat(spark.getLocalProperty("spark.jobGroup.id")).isNull();
      assertThat(spark.getLocalProperty("spark.job.description")).isNull();

      spark.setJobGroup("notebook", "cell 7", true);
      runner.call("second", Where.block(2, 80).at("gate_up"), List.of(new Ten(0)), 4);
      assertThatThrownBy(() -> runner.call("third", List.of(new Answer(-1))))
          .isInstanceOf(SparkException.class);
      assertThat(spark.getLocalProperty("spark.jobGroup.id")).isEqualTo("notebook");
      assertThat(spark.getLocalProperty("spark.job.description")).isEqualTo("cell 7");
      assertThat(spark.getLocalProperty("spark.job.interruptOnCancel")).isEqualTo("true");
      spark.parallelize(List.of(1), 1).count();

      spark.sc().listenerBus().waitUntilEmpty();
      assertThat(jobs.started)
          .extracting(
              job -> job.getProperty("spark.jobGroup.id"),
              job -> job.getProperty("spark.job.description"))
          .containsExactly(
              tuple("0815", "first"),
              tuple("0815", "block 3/80 · gate_up · second"),
              tuple("0815", "third"),
              tuple("notebook", "cell 7"));
    }
  }

  @Test
  void descriptionsSayBlockSiteAndStep() {
    assertThat(Where.MODEL.text("digests")).isEqualTo("digests");
    assertThat(Where.block(0, 6).text("outputs")).isEqualTo("block 1/6 · outputs");
    assertThat(Where.block(5, 6).at("down").text("gptq")).isEqualTo("block 6/6 · down · gptq");
    assertThat(Where.blocks(6).text("flexround")).isEqualTo("6 blocks · flexround");

    StepGroup one = new StepGroup("gptq", Where.block(3, 6).at("qkv"), List.of());
    StepGroup other = new StepGroup("gptq", Where.block(4, 6).at("qkv"), List.of());
    assertThat(StepGroup.together(List.of(List.of(one), List.of(other))))
        .extracting(group -> group.where().text(group.name()))
        .containsExactly("2 blocks · qkv · gptq");
    assertThat(StepGroup.together(List.of(List.of(one))))
        .extracting(group -> group.where().text(group.name()))
        .containsExactly("block 4/6 · qkv · gptq");
  }
}
