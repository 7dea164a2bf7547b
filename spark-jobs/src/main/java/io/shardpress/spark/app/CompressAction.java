package io.shardpress.spark.app;

import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.job.CompressJob;
import io.shardpress.spark.job.PlannedCompression;
import io.shardpress.spark.learn.cost.Parallelism;
import io.shardpress.spark.learn.cost.TaskMemory;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.text.Windows;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;

/** {@code compress}. */
final class CompressAction {
  private CompressAction() {}

  static int run(CompressOptions options) {
    Configuration configuration =
        Settings.of(
            options.spark(),
            Settings.uris(
                options.calibration(),
                Optional.of(options.model()),
                Optional.of(options.output()),
                options.work(),
                options.recipe().file()));
    PlannedCompression planned =
        Plans.compression(options.model(), options.recipe(), options.outputs(), configuration);
    CompressionPlan plan = planned.plan();
    planned.warnings().forEach(Settings::warn);
    Windows windows = null;
    if (plan.recipe().needsText()) {
      boolean learns = plan.recipe().calibrated();
      windows =
          Calibration.windows(plan.checkpoint(), options.calibration(), learns, configuration);
      windows.warnings().forEach(Settings::warn);
      Optional.ofNullable(Parallelism.of(plan, windows.count(), windows.length()).warning())
          .ifPresent(Settings::warn);
    }
    SparkConf conf = SparkSessions.conf("compress", options.spark());
    long task =
        windows == null
            ? TaskMemory.largest(plan, 0, 0)
            : TaskMemory.largest(plan, windows.count(), windows.length());
    boolean embedded = conf.get("spark.master").startsWith("local");
    Plans.check(plan, embedded ? TaskMemory.embedded(task) : TaskMemory.ofExecutors(task, conf));
    CompressJob job =
        new CompressJob(
            planned, options.outputs(), Optional.ofNullable(windows), options.keepActivations());
    Publishing publishing =
        new Publishing("compress", job, options.output(), options.work(), configuration);
    publishing.run(
        options.overwrite(),
        options.spark(),
        seconds ->
            String.format(
                Locale.ROOT,
                "%.1f MB in place of %.1f MB, learners %.1f CPU s, %.1f s in all",
                planned.outputBytes() / 1e6,
                plan.inputBytes() / 1e6,
                job.learnerCpuSeconds(),
                seconds));
    return ExitCodes.DONE;
  }
}
