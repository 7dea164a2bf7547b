package io.shardpress.spark.fidelity;

import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.spark.app.Calibration;
import io.shardpress.spark.app.SparkSessions;
import io.shardpress.spark.app.StandardError;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.app.options.TextSettings;
import io.shardpress.spark.evaluate.Evaluation;
import io.shardpress.spark.evaluate.ModelSource;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.job.CompressJob;
import io.shardpress.spark.job.EvaluateJob;
import io.shardpress.spark.job.JobRunner;
import io.shardpress.spark.job.PlannedCompression;
import io.shardpress.spark.learn.cost.Estimate;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.text.Windows;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Compresses a model by a recipe and measures what became of it, in one Spark session, for tables
 * of many recipes.
 */
public final class Fidelity {
  // A table is of learners: shapes that a runtime cannot pack are measured as well.
  private static final OutputChoice OUTPUTS = OutputChoice.DEFAULT.forAnyRuntime();

  private final JavaSparkContext spark;
  private final Configuration configuration;
  private final Checkpoint original;
  private final TextSettings calibration;
  private final TextSettings text;

  /**
   * @param model URI of the checkpoint's folder
   * @param calibration the text that all recipes learn on
   * @param text held-out text
   */
  public Fidelity(
      JavaSparkContext spark, String model, TextSettings calibration, TextSettings text) {
    this.spark = spark;
    this.configuration = spark.hadoopConfiguration();
    this.original = QuantizedFolder.dequantized(Checkpoint.open(model, configuration));
    original.notes().forEach(note -> System.err.println("warning: " + note));
    this.calibration = calibration;
    this.text = text;
  }

  /** Opens Spark as the command line does. */
  public static JavaSparkContext open() {
    return SparkSessions.open("fidelity", new SparkSettings(Optional.empty(), Map.of())).context();
  }

  /**
   * A recipe's outcome.
   *
   * @param seconds of compressing, on the clock
   * @param cpuSeconds of the learners' tasks
   * @param flops of matrix products, estimated from shapes; 0 where nothing is learned
   */
  public record Outcome(Evaluation evaluation, double seconds, double cpuSeconds, double flops) {}

  /**
   * Compresses into {@code output}, which is overwritten.
   *
   * @throws io.shardpress.schemas.CheckpointException where model and recipe do not go together
   */
  public Outcome run(Recipe recipe, String output) {
    PlannedCompression planned = PlannedCompression.of(original, recipe, OUTPUTS);
    Windows windows =
        recipe.needsText()
            ? Calibration.windows(original, calibration, recipe.calibrated(), configuration)
            : null;
    OutputFolder folder = new OutputFolder(output, configuration);
    CompressJob job = new CompressJob(planned, OUTPUTS, Optional.ofNullable(windows), false);
    JobRunner runner = new JobRunner(job, folder, Optional.empty(), StandardError.progress());
    runner.claim(true);
    long start = System.nanoTime();
    try {
      runner.run(spark);
    } finally {
      folder.close();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Outcome(
        evaluate(output), seconds, job.learnerCpuSeconds(), flops(planned.plan(), windows));
  }

  private static double flops(CompressionPlan plan, Windows windows) {
    if (windows == null) {
      return 0;
    }
    return Estimate.of(plan.config(), plan.learner(), windows.count(), windows.length()).flops();
  }

  private Evaluation evaluate(String output) {
    ModelSource compressed = ModelSource.of(Checkpoint.open(output, configuration));
    Windows windows = Calibration.windows(original, text.file().orElseThrow(), text, configuration);
    return new EvaluateJob(ModelSource.of(original), compressed, windows).run(spark);
  }
}
