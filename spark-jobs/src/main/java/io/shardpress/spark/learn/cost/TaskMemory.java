package io.shardpress.spark.learn.cost;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.spark.plan.CompressionPlan;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.network.util.JavaUtils;

/**
 * What a run's largest task needs, beside what an executor has.
 *
 * @param task bytes of that task's arrays, by {@link Estimate}
 * @param heap bytes of an executor's heap
 * @param together tasks that an executor runs at once
 * @param setting what would give it more
 */
public record TaskMemory(long task, long heap, int together, String setting) {
  public static final String EXECUTOR_MEMORY = "spark.executor.memory";

  // Spark's and Hadoop's classes, connections and buffers, with what the collector wants to work.
  private static final long BASE = 256L << 20;

  /**
   * In this process, which has the cores.
   *
   * @param task what {@link #largest} says
   */
  public static TaskMemory embedded(long task) {
    return new TaskMemory(task, Runtime.getRuntime().maxMemory(), 1, "-Xmx");
  }

  /** On executors as Spark's settings make them. */
  public static TaskMemory ofExecutors(long task, SparkConf conf) {
    long heap = JavaUtils.byteStringAsBytes(conf.get(EXECUTOR_MEMORY, "1g"));
    int cores = conf.getInt("spark.executor.cores", 1);
    int together = Math.max(1, cores / conf.getInt("spark.task.cpus", 1));
    return new TaskMemory(task, heap, together, EXECUTOR_MEMORY);
  }

  /**
   * Bytes of the largest task.
   *
   * @param windows of the calibration text
   * @param window tokens of one
   */
  public static long largest(CompressionPlan plan, int windows, int window) {
    if (!plan.recipe().calibrated()) {
      return Estimate.ofRounding(plan.quantized().values()).taskBytes();
    }
    Modifier modifier = plan.learner();
    long learning = Estimate.of(plan.config(), modifier, windows, window).taskBytes();
    return plan.recipe()
        .tuning()
        .map(settings -> TuningEstimate.of(plan, settings, windows, window).taskBytes())
        .map(tuning -> Math.max(tuning, learning))
        .orElse(learning);
  }

  /** The heap with which the largest task runs alone. */
  long needed() {
    return task + BASE;
  }

  /**
   * Refuses what cannot run.
   *
   * @throws CheckpointException where not even one task fits
   */
  public void check(String model) {
    if (task > 0 && needed() > heap) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: too large for an executor: the largest task needs %d MB, the heap is %d MB; raise"
                  + " %s to %dm or more, or, where it learns, take fewer or shorter windows",
              model,
              needed() >> 20,
              heap >> 20,
              setting,
              (needed() >> 20) + 1));
    }
  }

  /** What to say where tasks fit alone, but not as many as may run at once. */
  public Optional<String> warning() {
    long all = task * together + BASE;
    if (task == 0 || all <= heap) {
      return Optional.empty();
    }
    return Optional.of(
        String.format(
            Locale.ROOT,
            "%d tasks at once may need %d MB of an executor's %d MB; raise %s, or spark.task.cpus",
            together,
            all >> 20,
            heap >> 20,
            setting));
  }
}
