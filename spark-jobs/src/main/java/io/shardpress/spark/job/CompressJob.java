package io.shardpress.spark.job;

import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.Mend;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.StepCounts;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.io.Lease;
import io.shardpress.spark.learn.BlockTurns;
import io.shardpress.spark.learn.CalibratedLearning;
import io.shardpress.spark.learn.activation.ActivationScales;
import io.shardpress.spark.learn.activation.StaticScale;
import io.shardpress.spark.learn.rounding.RoundingLearner;
import io.shardpress.spark.learn.transform.Transforms;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.compressedtensors.Publisher;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.store.PartException;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.RunRecord;
import io.shardpress.spark.store.WorkFolder;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.sweep.SweepContext;
import io.shardpress.spark.sweep.WindowsPart;
import io.shardpress.spark.text.Windows;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaSparkContext;

/** A whole run: digests, calibration, learning, publishing. */
public final class CompressJob {
  private final CompressionPlan given;
  private CompressionPlan plan;
  private final CompressOptions options;
  private final Windows windows;
  private final OutputFolder output;
  private final Progress progress;
  private final Instant start = Instant.now();
  private StepRunner runner;
  private Mend mend;
  private WorkFolder folder;
  private List<PartKey> transformed = List.of();
  private SweepContext context;
  private Embeddings embeddings;
  private StepRunner.Ran learners = StepRunner.Ran.NOTHING;

  /**
   * @param windows of the calibration text; null where the recipe needs none
   */
  public CompressJob(
      CompressionPlan plan,
      CompressOptions options,
      Windows windows,
      OutputFolder output,
      Progress progress) {
    this.given = plan;
    this.plan = plan;
    this.options = options;
    this.windows = windows;
    this.output = output;
    this.progress = progress;
  }

  /** Names the run: the same model files, recipe and text give the same id. */
  String runId() {
    PartKey.Builder key =
        PartKey.of("run")
            .add("recipe", plan.recipe().canonical())
            .add("outputs", options.outputs().canonical());
    for (CheckpointFile file : plan.checkpoint().files()) {
      key.add(file.uri(), file.length() + " " + file.modificationTime());
    }
    if (windows != null) {
      key.add("tokens", windows.fingerprint()).add("window", windows.length());
    }
    return key.build().hex();
  }

  /**
   * Takes the output folder, before Spark is there.
   *
   * @return whether there is something to go on from
   */
  public boolean claim() {
    return output.claim(runId(), options.overwrite());
  }

  /** Runs, and says what was published. */
  public Manifest run(JavaSparkContext spark) {
    String work = options.work().orElse(output.uri() + "/" + OutputFolder.WORK);
    RunSettings settings = RunSettings.ofThisProcess(runId(), work);
    runner = new StepRunner(spark, settings, output::requireOwner);
    runner.report(progress);
    mend = new Mend(runner);
    folder = new WorkFolder(work, runner.configuration());
    Lease lease = options.work().isPresent() ? folder.enter() : null;
    try (lease) {
      while (true) {
        try {
          return runOnce(spark);
        } catch (PartException e) {
          progress.end();
          mend.discard(e.faults());
        }
      }
    }
  }

  /** Says in a shared work folder what this run is made from and which parts it is to use. */
  private void record(List<PartKey> learned) {
    if (options.work().isEmpty()) {
      return;
    }
    List<PartKey> parts = new ArrayList<>(Digests.parts(given.checkpoint()));
    List<String> digests = parts.stream().map(PartKey::hex).toList();
    parts.addAll(learned);
    if (windows != null) {
      parts.add(WindowsPart.key(windows));
      parts.addAll(transformed);
    }
    Map<String, String> ingredients = Ingredients.of(given, windows, runner.arithmetic());
    folder.keep(
        new RunRecord(
            RunRecord.FORMAT,
            runId(),
            start.toString(),
            given.checkpoint().uri(),
            ingredients,
            digests),
        parts);
  }

  private Manifest runOnce(JavaSparkContext spark) {
    plan = given;
    context = null;
    embeddings = null;
    Digests digests = Digests.of(plan.checkpoint(), runner);
    if (windows != null) {
      prepare(digests, runner.arithmetic());
    }
    Map<String, LearnedLinear> learned =
        context != null && learnsFromActivations()
            ? calibrated()
            : dataFree(context == null ? digests : context.digests());
    Map<String, StaticScale> scales =
        plan.recipe().measuresActivations() ? activations(learned).run() : Map.of();
    Manifest manifest =
        new Publisher(plan, learned, scales, output)
            .publish(
                tasks -> runner.call("publish", tasks),
                BuildVersion.text(),
                runFacts(spark),
                Map.of("layers.jsonl", LayerTable.of(plan, learned, runner.store())));
    if (embeddings != null && !options.keepActivations()) {
      embeddings.forget();
    }
    output.removeWork();
    return manifest;
  }

  private ActivationScales activations(Map<String, LearnedLinear> learned) {
    return new ActivationScales(context, learned, embeddings, options.keepActivations());
  }

  private boolean learnsFromActivations() {
    return plan.quantized().values().stream()
        .anyMatch(entry -> entry.choice().modifier().kind().learnsFromActivations());
  }

  /**
   * What runs on calibration text before anything is quantized; the plan then reads its results.
   */
  private void prepare(Digests digests, String arithmetic) {
    List<SamplePartition> samples = SamplePartition.of(windows.count(), windows.length());
    context = new SweepContext(plan, runner, digests, arithmetic, samples, windows.length());
    embeddings = new Embeddings(context, windows);
    Transforms transforms = new Transforms(embeddings);
    context = transforms.apply(context);
    learners = learners.plus(transforms.ran());
    transformed = transforms.parts();
    plan = context.plan();
  }

  private Map<String, LearnedLinear> dataFree(Digests digests) {
    RoundingLearner job = new RoundingLearner(plan, runner, digests, progress);
    List<PartKey> parts = new ArrayList<>(job.parts());
    mend.check(parts);
    if (plan.recipe().measuresActivations()) {
      parts.addAll(activations(job.learned()).parts());
    }
    record(parts);
    Map<String, LearnedLinear> learned = job.run();
    learners = learners.plus(job.learners());
    plan = job.plan();
    return learned;
  }

  private Map<String, LearnedLinear> calibrated() {
    BlockTurns turns = BlockTurns.of(context, embeddings.parts());
    List<PartKey> parts = new ArrayList<>(turns.parts(options.keepActivations()));
    mend.check(parts);
    if (plan.recipe().measuresActivations()) {
      parts.addAll(activations(turns.learned()).parts());
    }
    record(parts);
    CalibratedLearning job =
        new CalibratedLearning(context, embeddings, options.keepActivations(), progress);
    job.run(turns);
    learners = learners.plus(job.learners());
    return turns.learned();
  }

  /** How many units of which steps ran, and how many were in the part store. */
  public String steps() {
    return StepCounts.line(runner.steps());
  }

  /** CPU seconds of the learners in this run; parts that were there already cost nothing. */
  public double learnerCpuSeconds() {
    return learners.cpuSeconds();
  }

  private Map<String, String> runFacts(JavaSparkContext spark) {
    Map<String, String> facts = new TreeMap<>();
    facts.put("model", plan.checkpoint().uri());
    facts.put("output", output.uri());
    facts.put("started", start.toString());
    facts.put("ended", Instant.now().toString());
    facts.put("spark", spark.version());
    facts.put("java", Runtime.version().toString());
    facts.put("master", spark.master());
    facts.put("matmul", Matmuls.chosen().name());
    facts.put("learner_cpu_seconds", "%.1f".formatted(learners.cpuSeconds()));
    if (windows != null) {
      facts.put("calibration_windows", String.valueOf(windows.count()));
      facts.put("sequence_length", String.valueOf(windows.length()));
    }
    return facts;
  }
}
