package io.shardpress.spark.app;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.job.Job;
import io.shardpress.spark.job.JobRunner;
import io.shardpress.spark.output.OutputFolder;
import java.util.Optional;
import java.util.function.DoubleFunction;
import org.apache.hadoop.conf.Configuration;

/**
 * What all commands share that run a {@link Job}: the folder, Spark, what is printed in the end.
 */
final class Publishing {
  private final String command;
  private final Job job;
  private final String output;
  private final Optional<String> work;
  private final Configuration configuration;

  /**
   * @param output URI of the folder to write
   * @param work URI of a folder with a part store to share
   */
  Publishing(
      String command, Job job, String output, Optional<String> work, Configuration configuration) {
    this.command = command;
    this.job = job;
    this.output = output;
    this.work = work;
    this.configuration = configuration;
  }

  /**
   * Runs the job; the tree hash goes to stdout.
   *
   * @param summary of the run, from the seconds that it took
   */
  void run(boolean overwrite, SparkSettings spark, DoubleFunction<String> summary) {
    OutputFolder folder = new OutputFolder(output, configuration);
    Progress progress = StandardError.progress();
    JobRunner runner = new JobRunner(job, folder, work, progress);
    boolean resumed = runner.claim(overwrite);
    Interruption.keeps(
        "what is finished is kept in "
            + work.orElse(folder.uri() + "/" + OutputFolder.WORK)
            + "; the same command goes on from there",
        progress::end);
    long start = System.nanoTime();
    Settings.sayBackend();
    try (OpenSession session = SparkSessions.open(command, spark)) {
      Manifest manifest = runner.run(session.context());
      Interruption.keeps(folder.uri() + " is published and whole", progress::end);
      System.err.println(summary.apply((System.nanoTime() - start) / 1e9));
      System.err.println(runner.steps());
      System.out.println(manifest.treeHash());
    } catch (CheckpointException e) {
      // With another input this is another run, which could not go on from here.
      if (!resumed && !Interruption.happened()) {
        folder.abandon();
      }
      throw e;
    } finally {
      // A line that is still being drawn would run into the error's.
      progress.end();
      folder.close();
    }
  }
}
