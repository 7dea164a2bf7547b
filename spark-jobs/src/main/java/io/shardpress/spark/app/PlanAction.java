package io.shardpress.spark.app;

import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.PlanOptions;
import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.job.Forecast;
import io.shardpress.spark.job.PlannedCompression;
import io.shardpress.spark.learn.cost.TaskMemory;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.store.WorkFolder;
import io.shardpress.spark.text.Windows;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** {@code plan}: what compress would do, and with a part store what of it is there already. */
final class PlanAction {
  private PlanAction() {}

  static int run(PlanOptions options) {
    Configuration configuration =
        Settings.of(
            options.spark(),
            Settings.uris(
                options.calibration(),
                Optional.of(options.model()),
                options.work(),
                options.recipe().file()));
    PlannedCompression planned =
        Plans.compression(options.model(), options.recipe(), options.outputs(), configuration);
    CompressionPlan plan = planned.plan();
    System.out.print(PlanText.of(planned, options.calibration()));
    planned.warnings().forEach(Settings::warn);
    int window = options.calibration().sequenceLength(plan.config().maxPositionEmbeddings());
    SparkConf conf = SparkSessions.conf("plan", options.spark());
    // Who plans here for a cluster says nothing of its executors unless they want it checked.
    if (conf.contains(TaskMemory.EXECUTOR_MEMORY)) {
      long task = TaskMemory.largest(plan, options.calibration().samples(), window);
      Plans.check(plan, TaskMemory.ofExecutors(task, conf));
    }
    if (options.work().isPresent()) {
      foresee(plan, options, configuration);
    }
    return ExitCodes.DONE;
  }

  private static void foresee(
      CompressionPlan plan, PlanOptions options, Configuration configuration) {
    String work = options.work().orElseThrow();
    Windows windows = null;
    if (plan.recipe().needsText()) {
      boolean learns = plan.recipe().calibrated();
      windows =
          Calibration.windows(plan.checkpoint(), options.calibration(), learns, configuration);
    }
    RunSettings settings = RunSettings.ofThisProcess("plan " + plan.checkpoint().uri(), work);
    if (options.hash()) {
      try (OpenSession session = SparkSessions.open("plan", options.spark())) {
        JavaSparkContext spark = session.context();
        Digests.of(plan.checkpoint(), new StepRunner(spark, settings, () -> {}));
      }
    }
    StepRunner lookUp = StepRunner.lookUp(settings, configuration);
    Forecast.of(plan, windows, lookUp, new WorkFolder(work, configuration))
        .forEach(System.out::println);
  }
}
