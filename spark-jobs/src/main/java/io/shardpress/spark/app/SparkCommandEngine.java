package io.shardpress.spark.app;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.schemas.output.Manifest;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.app.options.CacheRounding;
import io.shardpress.spark.app.options.CompressOptions;
import io.shardpress.spark.app.options.DecompressOptions;
import io.shardpress.spark.app.options.EvaluateOptions;
import io.shardpress.spark.app.options.ExitCodes;
import io.shardpress.spark.app.options.GcOptions;
import io.shardpress.spark.app.options.InspectOptions;
import io.shardpress.spark.app.options.PlanOptions;
import io.shardpress.spark.app.options.RecipeChoice;
import io.shardpress.spark.app.options.SparkSettings;
import io.shardpress.spark.app.options.VerifyOptions;
import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.RunSettings;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.evaluate.Evaluation;
import io.shardpress.spark.evaluate.ModelSource;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.inspect.Inspection;
import io.shardpress.spark.inspect.TensorPattern;
import io.shardpress.spark.inspect.TensorTable;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.Locations;
import io.shardpress.spark.io.ObjectStoreSettings;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.job.CompressJob;
import io.shardpress.spark.job.DecompressJob;
import io.shardpress.spark.job.EvaluateJob;
import io.shardpress.spark.job.Forecast;
import io.shardpress.spark.learn.cost.Parallelism;
import io.shardpress.spark.learn.cost.TaskMemory;
import io.shardpress.spark.output.OutputFolder;
import io.shardpress.spark.output.Verification;
import io.shardpress.spark.output.dense.DecompressionPlan;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.Planner;
import io.shardpress.spark.store.PartCollector;
import io.shardpress.spark.store.WorkFolder;
import io.shardpress.spark.text.Windows;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;

/** The commands on Spark. Whatever can be refused from headers is refused before Spark starts. */
public final class SparkCommandEngine implements CommandEngine {
  @Override
  public int plan(PlanOptions options) {
    Configuration configuration =
        configuration(
            options.spark(),
            uris(
                Optional.of(options.model()),
                options.work(),
                options.recipe().file(),
                options.calibration().file()));
    CompressionPlan plan =
        plan(options.model(), options.recipe(), options.outputs(), configuration);
    System.out.print(PlanText.of(plan, options.calibration()));
    plan.warnings().forEach(SparkCommandEngine::warn);
    int window = options.calibration().sequenceLength(plan.config().maxPositionEmbeddings());
    SparkConf conf = SparkSessions.conf("plan", options.spark());
    // Who plans here for a cluster says nothing of its executors unless they want it checked.
    if (conf.contains(TaskMemory.EXECUTOR_MEMORY)) {
      long task = TaskMemory.largest(plan, options.calibration().samples(), window);
      check(plan, TaskMemory.ofExecutors(task, conf));
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
      SparkSession session = SparkSessions.open("plan", options.spark());
      try {
        JavaSparkContext spark = new JavaSparkContext(session.sparkContext());
        Digests.of(plan.checkpoint(), new StepRunner(spark, settings, () -> {}));
      } finally {
        session.stop();
      }
    }
    StepRunner lookUp = StepRunner.lookUp(settings, configuration);
    Forecast.of(plan, windows, lookUp, new WorkFolder(work, configuration))
        .forEach(System.out::println);
  }

  @Override
  public int gc(GcOptions options) {
    WorkFolder folder =
        new WorkFolder(options.work(), configuration(options.spark(), Stream.of(options.work())));
    PartCollector.Outcome outcome = PartCollector.collect(folder, options.keep());
    System.out.printf(
        Locale.ROOT,
        "removed %d parts and %d unfinished files, %.1f MB; kept %d parts of %d runs, %.1f MB%n",
        outcome.parts(),
        outcome.attempts(),
        outcome.bytes() / 1e6,
        outcome.kept(),
        outcome.runs(),
        outcome.keptBytes() / 1e6);
    return ExitCodes.DONE;
  }

  @Override
  public int compress(CompressOptions options) {
    Configuration configuration =
        configuration(
            options.spark(),
            uris(
                Optional.of(options.model()),
                Optional.of(options.output()),
                options.work(),
                options.recipe().file(),
                options.calibration().file()));
    CompressionPlan plan =
        plan(options.model(), options.recipe(), options.outputs(), configuration);
    plan.warnings().forEach(SparkCommandEngine::warn);
    Windows windows = null;
    if (plan.recipe().needsText()) {
      boolean learns = plan.recipe().calibrated();
      windows =
          Calibration.windows(plan.checkpoint(), options.calibration(), learns, configuration);
      windows.warning().ifPresent(SparkCommandEngine::warn);
      Optional.ofNullable(Parallelism.of(plan, windows.count(), windows.length()).warning())
          .ifPresent(SparkCommandEngine::warn);
    }
    SparkConf conf = SparkSessions.conf("compress", options.spark());
    long task =
        windows == null
            ? TaskMemory.largest(plan, 0, 0)
            : TaskMemory.largest(plan, windows.count(), windows.length());
    boolean embedded = conf.get("spark.master").startsWith("local");
    check(plan, embedded ? TaskMemory.embedded(task) : TaskMemory.ofExecutors(task, conf));
    OutputFolder output = new OutputFolder(options.output(), configuration);
    Progress progress = StandardError.progress();
    CompressJob job = new CompressJob(plan, options, windows, output, progress);
    boolean resumed = job.claim();
    long start = System.nanoTime();
    SparkSession session = SparkSessions.open("compress", options.spark());
    try {
      Manifest manifest = job.run(new JavaSparkContext(session.sparkContext()));
      System.err.printf(
          Locale.ROOT,
          "%.1f MB in place of %.1f MB, learners %.1f CPU s, %.1f s in all%n",
          plan.outputBytes() / 1e6,
          plan.inputBytes() / 1e6,
          job.learnerCpuSeconds(),
          (System.nanoTime() - start) / 1e9);
      System.err.println(job.steps());
      System.out.println(manifest.treeHash());
    } catch (CheckpointException e) {
      // With another input this is another run, which could not go on from here.
      if (!resumed) {
        output.abandon();
      }
      throw e;
    } finally {
      // A line that is still being drawn would run into the error's.
      progress.end();
      output.close();
      session.stop();
    }
    return ExitCodes.DONE;
  }

  private static void check(CompressionPlan plan, TaskMemory memory) {
    memory.check(plan.checkpoint().uri());
    memory.warning().ifPresent(SparkCommandEngine::warn);
  }

  @Override
  public int decompress(DecompressOptions options) {
    Configuration configuration =
        configuration(
            options.spark(), uris(Optional.of(options.model()), Optional.of(options.output())));
    Checkpoint checkpoint = Checkpoint.open(options.model(), configuration);
    Dtype dtype = options.dtype().orElseGet(() -> QuantizedFolder.dtype(checkpoint));
    DecompressionPlan plan =
        DecompressionPlan.of(QuantizedFolder.dequantized(checkpoint, dtype), dtype);
    OutputFolder output = new OutputFolder(options.output(), configuration);
    DecompressJob job = new DecompressJob(plan, output);
    boolean resumed = job.claim(options.overwrite());
    long start = System.nanoTime();
    SparkSession session = SparkSessions.open("decompress", options.spark());
    try {
      Manifest manifest = job.run(new JavaSparkContext(session.sparkContext()));
      System.err.printf(
          Locale.ROOT,
          "%.1f MB in place of %.1f MB, %d weights dequantized, %.1f s in all%n",
          plan.outputBytes() / 1e6,
          plan.inputBytes() / 1e6,
          plan.weights().size(),
          (System.nanoTime() - start) / 1e9);
      System.err.println(job.steps());
      System.out.println(manifest.treeHash());
    } catch (CheckpointException e) {
      if (!resumed) {
        output.abandon();
      }
      throw e;
    } finally {
      output.close();
      session.stop();
    }
    return ExitCodes.DONE;
  }

  @Override
  public int evaluate(EvaluateOptions options) {
    Configuration configuration =
        configuration(
            options.spark(),
            uris(
                Optional.of(options.original()),
                Optional.of(options.compressed()),
                options.text().file()));
    Checkpoint original = Checkpoint.open(options.original(), configuration);
    Checkpoint compressed = Checkpoint.open(options.compressed(), configuration);
    ModelSource originalSource = ModelSource.of(original);
    ModelSource compressedSource = compressed(options, compressed);
    String text = options.text().file().orElseThrow();
    Windows windows = Calibration.windows(original, text, options.text(), configuration);
    windows.warning().ifPresent(SparkCommandEngine::warn);
    EvaluateJob job = new EvaluateJob(originalSource, compressedSource, windows);
    SparkSession session = SparkSessions.open("evaluate", options.spark());
    Evaluation evaluation;
    try {
      evaluation = job.run(new JavaSparkContext(session.sparkContext()));
    } finally {
      session.stop();
    }
    System.err.println(EvaluationText.paired(evaluation));
    if (options.json()) {
      System.out.println(EvaluationText.json(evaluation));
    } else {
      System.out.print(EvaluationText.table(evaluation));
    }
    return exceeds(evaluation, options) ? ExitCodes.LIMIT_EXCEEDED : ExitCodes.DONE;
  }

  @Override
  public int verify(VerifyOptions options) {
    Verification verification =
        Verification.of(
            options.output(), configuration(options.spark(), Stream.of(options.output())));
    verification.problems().forEach(problem -> System.err.println("error: " + problem));
    if (!verification.problems().isEmpty()) {
      return ExitCodes.FAILED;
    }
    System.out.println(verification.treeHash());
    return ExitCodes.DONE;
  }

  @Override
  public int inspect(InspectOptions options) {
    Predicate<String> wanted = options.tensors().map(TensorPattern::of).orElse(name -> true);
    Checkpoint folder =
        Checkpoint.open(
            options.model(), configuration(options.spark(), Stream.of(options.model())));
    Checkpoint checkpoint = options.dequantize() ? QuantizedFolder.dequantized(folder) : folder;
    List<TensorRef> tensors = Inspection.select(checkpoint, wanted);
    if (options.statistics() && !tensors.isEmpty()) {
      SparkSession session = SparkSessions.open("inspect", options.spark());
      try {
        System.out.print(
            TensorTable.of(tensors, Inspection.statistics(session, checkpoint, tensors)));
      } finally {
        session.stop();
      }
    } else {
      System.out.print(TensorTable.of(tensors));
    }
    System.err.printf(
        Locale.ROOT,
        "%d of %d tensors, %.1f MB%n",
        tensors.size(),
        checkpoint.tensors().size(),
        tensors.stream().mapToLong(TensorRef::storedBytes).sum() / 1e6);
    return ExitCodes.DONE;
  }

  private static ModelSource compressed(EvaluateOptions options, Checkpoint checkpoint) {
    ModelSource source = ModelSource.of(checkpoint);
    if (options.cache() == CacheRounding.RUNTIME) {
      return source;
    }
    if (!source.quantizesCache()) {
      throw new UsageException(
          "--kv-cache published, but "
              + checkpoint.uri()
              + "/config.json has no kv_cache_scheme; leave the option out");
    }
    return source.withPublishedCache();
  }

  private static boolean exceeds(Evaluation evaluation, EvaluateOptions options) {
    double mean = evaluation.kl().mean();
    if (options.maxKl().isEmpty() || mean <= options.maxKl().getAsDouble()) {
      return false;
    }
    warn("mean KL " + mean + " is above --max-kl " + options.maxKl().getAsDouble());
    return true;
  }

  private static CompressionPlan plan(
      String model, RecipeChoice choice, OutputChoice outputs, Configuration configuration) {
    Recipe recipe = choice.resolve(uri -> SmallFiles.text(uri, configuration));
    Checkpoint checkpoint = Checkpoint.open(model, configuration);
    return Planner.plan(QuantizedFolder.dequantized(checkpoint), recipe, outputs);
  }

  /**
   * Hadoop's settings as Spark will have them, without a session.
   *
   * @param uris that the command names; each is looked at first
   */
  private static Configuration configuration(SparkSettings settings, Stream<String> uris) {
    List<String> named = uris.toList();
    named.forEach(Locations::refuseCredentials);
    Configuration configuration =
        SparkHadoopUtil.get().newConfiguration(SparkSessions.conf("", settings));
    ObjectStoreSettings.setDefaults(configuration);
    Locations.check(named, configuration);
    return configuration;
  }

  private static Stream<String> uris(Optional<?>... uris) {
    return Arrays.stream(uris).flatMap(Optional::stream).map(String::valueOf);
  }

  private static void warn(String warning) {
    System.err.println("warning: " + warning);
  }
}
