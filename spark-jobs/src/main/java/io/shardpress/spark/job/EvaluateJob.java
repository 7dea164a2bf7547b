package io.shardpress.spark.job;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.evaluate.EvaluateTask;
import io.shardpress.spark.evaluate.Evaluation;
import io.shardpress.spark.evaluate.ModelSource;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.text.Windows;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Measures a model against another on held-out windows, a fixed partition of them per task, so that
 * the figures do not depend on the cluster.
 */
public final class EvaluateJob {
  private final ModelSource original;
  private final ModelSource compressed;
  private final Windows windows;

  public EvaluateJob(ModelSource original, ModelSource compressed, Windows windows) {
    if (original.vocabulary() != compressed.vocabulary()) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: found a vocabulary of %d, wanted the original's %d (%s); compare a model with what was made from it",
              compressed.uri(),
              compressed.vocabulary(),
              original.vocabulary(),
              original.uri()));
    }
    this.original = original;
    this.compressed = compressed;
    this.windows = windows;
  }

  public Evaluation run(JavaSparkContext spark) {
    // No task of this job has parts: figures are small enough to come back by themselves.
    String noStore = compressed.uri();
    RunSettings settings = RunSettings.ofThisProcess("evaluate " + compressed.uri(), noStore);
    List<EvaluateTask> tasks = new ArrayList<>();
    for (SamplePartition partition : SamplePartition.of(windows.count(), windows.length())) {
      int[][] ids = new int[partition.count()][];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = windows.ids(partition.first() + i);
      }
      tasks.add(new EvaluateTask(original, compressed, ids));
    }
    return Evaluation.of(
        new StepRunner(spark, settings, () -> {}).call("evaluate", tasks), windows.length() - 1);
  }
}
