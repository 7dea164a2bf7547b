package io.shardpress.spark.job;

import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.schemas.output.OutputChoice;
import io.shardpress.schemas.recipe.EndToEndSettings;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.LinearStatistics;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.learn.BlockTurns;
import io.shardpress.spark.learn.CalibratedLearning;
import io.shardpress.spark.learn.activation.ActivationScales;
import io.shardpress.spark.learn.activation.StaticScale;
import io.shardpress.spark.learn.endtoend.Tuning;
import io.shardpress.spark.learn.rounding.RangeCheck;
import io.shardpress.spark.learn.rounding.RoundingLearner;
import io.shardpress.spark.learn.transform.Transforms;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.Results;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.sweep.SweepContext;
import io.shardpress.spark.sweep.WindowsPart;
import io.shardpress.spark.text.Windows;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Compresses a checkpoint: digests, calibration, learning, static scales. */
public final class CompressJob implements Job {
  private final PlannedCompression given;
  private final OutputChoice choice;
  private final Optional<Windows> windows;
  private final boolean keepActivations;
  private StepRunner.Ran learners = StepRunner.Ran.NOTHING;
  private Optional<Embeddings> embedded = Optional.empty();

  /**
   * @param windows of the calibration text; empty where the recipe needs none
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public CompressJob(
      PlannedCompression given,
      OutputChoice choice,
      Optional<Windows> windows,
      boolean keepActivations) {
    this.given = given;
    this.choice = choice;
    this.windows = windows;
    this.keepActivations = keepActivations;
  }

  @Override
  public String id() {
    PartKey.Builder key =
        PartKey.of("run")
            .add("recipe", given.plan().recipe().canonical())
            .add("outputs", choice.canonical());
    for (CheckpointFile file : given.plan().checkpoint().files()) {
      key.add(file.uri(), file.length() + " " + file.modificationTime());
    }
    windows.ifPresent(text -> key.add("tokens", text.fingerprint()).add("window", text.length()));
    return key.build().hex();
  }

  @Override
  public String model() {
    return given.plan().checkpoint().uri();
  }

  @Override
  public String digest() {
    return given.plan().recipe().digest();
  }

  @Override
  public Map<String, String> ingredients(String arithmetic) {
    return Ingredients.of(given.plan(), windows, arithmetic);
  }

  @Override
  public Outcome run(JobContext context) {
    if (windows.isEmpty()
        && context.direct().isPresent()
        && RoundingLearner.roundsRows(given.plan())) {
      return direct(context.direct().get(), context.progress());
    }
    CompressionPlan plan = given.plan().with(context.contents(given.plan().checkpoint()));
    Learned learned =
        windows.isPresent()
            ? withText(windows.get(), plan, context)
            : rounded(plan, context, Optional.empty(), List.of());
    PlannedCompression planned = given.with(learned.plan());
    return new Outcome(
        InputTensor.of(planned.plan().entries()),
        planned.publications(),
        new Results(learned.linears(), learned.scales(), Map.of()),
        files(planned),
        Map.of("layers.jsonl", LayerTable.of(planned.plan(), learned.statistics())));
  }

  /** One pass over the weights, with nothing kept for other runs. */
  private Outcome direct(DirectShards direct, Progress progress) {
    CompressionPlan plan = given.plan().with(DirectShards.contents(given.plan().checkpoint()));
    PlannedCompression planned = given.with(plan);
    Results results = Results.rounded(RoundingLearner.rows(plan));
    List<PublishedShard> shards =
        direct.write(plan.checkpoint(), planned.publications(), results, progress);
    learners = direct.ran();
    Map<String, LinearStatistics> statistics = new HashMap<>();
    for (PublishedShard shard : shards) {
      shard
          .errors()
          .forEach(
              (module, error) ->
                  statistics.put(module, new LinearStatistics(error, 0, Optional.empty())));
    }
    RoundingLearner.report(plan, statistics, progress);
    return new Outcome(
        InputTensor.of(plan.entries()),
        planned.publications(),
        results,
        files(planned),
        Map.of("layers.jsonl", LayerTable.of(plan, statistics)),
        shards);
  }

  private static Map<String, byte[]> files(PlannedCompression planned) {
    return Map.of(
        "recipe.yaml", bytes(planned.plan().recipe().toYaml()),
        "README.md", bytes(ModelCard.of(planned.plan(), planned.publications())));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * What was learned.
   *
   * @param plan as learning has left it: weights that transforms changed, outliers that were found
   */
  private record Learned(
      CompressionPlan plan,
      Map<String, LearnedLinear> linears,
      Map<String, LinearStatistics> statistics,
      Map<String, StaticScale> scales) {
    Learned with(Optional<ActivationScales> measured) {
      return new Learned(
          plan, linears, statistics, measured.map(ActivationScales::run).orElse(Map.of()));
    }
  }

  /** Modifiers that change weights run first; the plan then reads their results. */
  private Learned withText(Windows text, CompressionPlan plan, JobContext context) {
    StepRunner steps = context.steps();
    steps.call("ranges", RangeCheck.of(plan));
    List<SamplePartition> samples = SamplePartition.of(text.count(), text.length());
    SweepContext before = new SweepContext(plan, steps, steps.arithmetic(), samples, text.length());
    Embeddings embeddings = new Embeddings(before, text);
    embedded = Optional.of(embeddings);
    Transforms transforms = new Transforms(embeddings);
    SweepContext sweep = transforms.apply(before);
    learners = learners.plus(transforms.ran());
    List<PartKey> also = new ArrayList<>(List.of(WindowsPart.key(text)));
    also.addAll(transforms.parts());
    return sweep.plan().learner().kind().learnsFromActivations()
        ? calibrated(sweep, embeddings, context, also)
        : rounded(sweep.plan(), context, Optional.of(sweep), also);
  }

  private Learned rounded(
      CompressionPlan plan, JobContext context, Optional<SweepContext> sweep, List<PartKey> also) {
    RoundingLearner learner = new RoundingLearner(plan, context.steps(), context.progress());
    List<PartKey> parts = new ArrayList<>(also);
    parts.addAll(learner.parts());
    sweep
        .flatMap(one -> activations(one, learner.learned()))
        .ifPresent(scales -> parts.addAll(scales.parts()));
    context.uses(parts);
    Map<String, LearnedLinear> linears = learner.run();
    learners = learners.plus(learner.learners());
    Learned rounded = new Learned(learner.plan(), linears, learner.statistics(), Map.of());
    if (sweep.isEmpty()) {
      return rounded;
    }
    return measured(tuned(rounded, sweep.get(), context, parts), sweep.get());
  }

  private Learned calibrated(
      SweepContext sweep, Embeddings embeddings, JobContext context, List<PartKey> also) {
    BlockTurns turns = BlockTurns.of(sweep, embeddings, keepActivations);
    Optional<ActivationScales> scales = activations(sweep, turns.learned());
    List<PartKey> parts = new ArrayList<>(also);
    parts.addAll(turns.parts(keepActivations));
    scales.ifPresent(one -> parts.addAll(one.parts()));
    context.uses(parts);
    CalibratedLearning learning =
        new CalibratedLearning(sweep, embeddings, keepActivations, context.progress());
    learning.run(turns);
    learners = learners.plus(learning.learners());
    Learned solved =
        new Learned(
            sweep.plan(),
            turns.learned(),
            LinearStatistics.read(sweep.runner().store(), turns.learned().values()),
            Map.of());
    return measured(tuned(solved, sweep, context, parts), sweep);
  }

  /** Steps over the whole model, where the recipe asks for them. */
  private Learned tuned(
      Learned learned, SweepContext sweep, JobContext context, List<PartKey> others) {
    Optional<EndToEndSettings> settings = sweep.plan().recipe().tuning();
    if (settings.isEmpty() || learned.linears().isEmpty()) {
      return learned;
    }
    Tuning tuning =
        new Tuning(
            sweep,
            learned.linears(),
            embedded.orElseThrow(),
            settings.get(),
            keepActivations,
            context.progress());
    Tuning.Tuned result = tuning.run();
    learners = learners.plus(tuning.ran());
    Learned tuned =
        new Learned(
            learned.plan().with(result.norms()),
            result.linears(),
            LinearStatistics.read(sweep.runner().store(), result.linears().values()),
            Map.of());
    List<PartKey> parts = new ArrayList<>(others);
    parts.addAll(result.parts());
    activations(after(tuned, sweep), tuned.linears())
        .ifPresent(scales -> parts.addAll(scales.parts()));
    context.uses(parts);
    return tuned;
  }

  /** The sweep over a model as learning has left it. */
  private static SweepContext after(Learned learned, SweepContext sweep) {
    return new SweepContext(
        learned.plan(), sweep.runner(), sweep.arithmetic(), sweep.samples(), sweep.window());
  }

  /** With static scales, where the recipe wants them. */
  private Learned measured(Learned learned, SweepContext sweep) {
    return learned.with(activations(after(learned, sweep), learned.linears()));
  }

  /** Those that the recipe wants measured. */
  private Optional<ActivationScales> activations(
      SweepContext sweep, Map<String, LearnedLinear> linears) {
    return sweep.plan().recipe().measuresActivations()
        ? Optional.of(new ActivationScales(sweep, linears, embedded.orElseThrow(), keepActivations))
        : Optional.empty();
  }

  @Override
  public void published() {
    if (!keepActivations) {
      embedded.ifPresent(Embeddings::forget);
    }
  }

  /** CPU seconds of the learners in this run; parts that were there already cost nothing. */
  public double learnerCpuSeconds() {
    return learners.cpuSeconds();
  }

  @Override
  public Map<String, String> facts() {
    Map<String, String> facts = new HashMap<>();
    facts.put("matmul", Matmuls.chosen().name());
    facts.put("learner_cpu_seconds", String.format(Locale.ROOT, "%.1f", learners.cpuSeconds()));
    windows.ifPresent(
        text -> {
          facts.put("calibration_windows", String.valueOf(text.count()));
          facts.put("sequence_length", String.valueOf(text.length()));
        });
    return facts;
  }
}
