package io.shardpress.spark.job;

import io.shardpress.schemas.output.Manifest;
import io.shardpress.spark.engine.Mend;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.StepCounts;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.io.Lease;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.store.PartException;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.RunRecord;
import io.shardpress.spark.store.WorkFolder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Runs a job: takes its folder, has its steps run, mends parts that turn out to be bad, keeps the
 * record of a shared store, and publishes, the manifest last.
 */
public final class JobRunner {
  private final Job job;
  private final OutputFolder output;
  private final Optional<String> work;
  private final Progress progress;
  private final Instant start = Instant.now();
  private StepRunner steps;

  /**
   * @param work URI of a folder with a part store to share; empty: parts go with the run
   */
  public JobRunner(Job job, OutputFolder output, Optional<String> work, Progress progress) {
    this.job = job;
    this.output = output;
    this.work = work;
    this.progress = progress;
  }

  /**
   * Takes the output folder, before Spark is there.
   *
   * @param overwrite accept a finished checkpoint of ours
   * @return whether there is something to go on from
   */
  public boolean claim(boolean overwrite) {
    return output.claim(job.id(), overwrite);
  }

  /** Runs, and says what was published. */
  public Manifest run(JavaSparkContext spark) {
    String store = work.orElse(output.uri() + "/" + OutputFolder.WORK);
    RunSettings settings = RunSettings.ofThisProcess(job.id(), store);
    steps = new StepRunner(spark, settings, output::requireOwner);
    steps.report(progress);
    Mend mend = new Mend(steps);
    WorkFolder folder = new WorkFolder(store, steps.configuration());
    JobContext context =
        new JobContext(
            steps, progress, mend, (digests, all) -> record(folder, digests, all), direct());
    Lease lease = work.isPresent() ? folder.enter() : null;
    try (lease) {
      while (true) {
        try {
          return runOnce(spark, context);
        } catch (PartException e) {
          progress.end();
          mend.discard(e.faults());
        }
      }
    }
  }

  private Optional<DirectShards> direct() {
    return work.isEmpty() && output.renames()
        ? Optional.of(new DirectShards(steps, output))
        : Optional.empty();
  }

  private Manifest runOnce(JavaSparkContext spark, JobContext context) {
    Outcome outcome = job.run(context);
    Manifest manifest =
        new Publisher(output, outcome)
            .publish(tasks -> steps.call("publish", tasks), job.digest(), facts(spark));
    job.published();
    output.removeWork();
    return manifest;
  }

  /** Says in a shared work folder what this run is made from and which parts it is to use. */
  private void record(WorkFolder folder, List<PartKey> digests, List<PartKey> parts) {
    if (work.isEmpty()) {
      return;
    }
    folder.keep(
        new RunRecord(
            RunRecord.FORMAT,
            job.id(),
            start.toString(),
            job.model(),
            job.ingredients(steps.arithmetic()),
            digests.stream().map(PartKey::hex).toList()),
        parts);
  }

  private Map<String, String> facts(JavaSparkContext spark) {
    Map<String, String> facts = new TreeMap<>(job.facts());
    facts.put("model", job.model());
    facts.put("output", output.uri());
    facts.put("started", start.toString());
    facts.put("ended", Instant.now().toString());
    facts.put("spark", spark.version());
    facts.put("java", Runtime.version().toString());
    facts.put("master", spark.master());
    return facts;
  }

  /** How many steps of which kinds ran, and how many were in the part store. */
  public String steps() {
    return StepCounts.line(steps.steps());
  }
}
