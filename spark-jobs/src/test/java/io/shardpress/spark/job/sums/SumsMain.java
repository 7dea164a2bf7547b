package io.shardpress.spark.job.sums;

import io.shardpress.spark.app.OpenSession;
import io.shardpress.spark.app.SparkSessions;
import io.shardpress.spark.app.StandardError;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.job.JobRunner;
import io.shardpress.spark.output.OutputFolder;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** The job as a program: MODEL OUTPUT WORK. */
final class SumsMain {
  private static final Configuration HADOOP = new Configuration();

  private SumsMain() {}

  public static void main(String[] words) {
    run(Checkpoint.open(words[0], HADOOP), words[1], words[2], false);
  }

  static JobRunner run(Checkpoint model, String output, String work, boolean overwrite) {
    OutputFolder target = new OutputFolder(output, HADOOP);
    JobRunner runner =
        new JobRunner(new SumsJob(model), target, Optional.of(work), StandardError.progress());
    runner.claim(overwrite);
    SparkSettings settings = new SparkSettings(Optional.of("local[2]"), Map.of());
    try (OpenSession session = SparkSessions.open("sums", settings)) {
      runner.run(session.context());
    } finally {
      target.close();
    }
    return runner;
  }
}
