package io.shardpress.spark.learn.endtoend;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.EndToEndSettings;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.ModelHead;
import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.StoredShard;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.FullPrecision;
import io.shardpress.spark.sweep.SweepContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Tunes the scales and norms of a whole quantized model by the divergence of its output, and keeps
 * what windows that are held back find best, the start among it. Every step's state is in the
 * store, so that a killed run loses one step at most.
 */
public final class Tuning {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(
          GradientStep.class,
          UpdateStep.class,
          LossStep.class,
          CandidatesStep.class,
          TunedTileStep.class,
          TunedNormsStep.class);

  private final SweepContext context;
  private final Map<String, LearnedLinear> given;
  private final Embeddings embeddings;
  private final FullPrecision full;
  private final List<CandidatesStep> candidates = new ArrayList<>();
  private final TunedModel model;
  private final TuneSteps steps;
  private final Progress progress;
  private final List<Map<LinearRole, LearnedLinear>> blocks = new ArrayList<>();
  private boolean prepared;
  private StepRunner.Ran ran = StepRunner.Ran.NOTHING;

  /**
   * @param linears what was quantized, by module
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public Tuning(
      SweepContext context,
      Map<String, LearnedLinear> linears,
      Embeddings embeddings,
      EndToEndSettings settings,
      boolean keepActivations,
      Progress progress) {
    this.context = context;
    this.given = linears;
    this.embeddings = embeddings;
    this.progress = progress;
    full = new FullPrecision(context, embeddings, settings.learnsIntegers(), keepActivations);
    for (int block = 0; block < context.plan().config().layers(); block++) {
      Map<LinearRole, LearnedLinear> learned = new TreeMap<>();
      context
          .block(block)
          .modules()
          .forEach(
              (role, module) -> {
                if (linears.containsKey(module)) {
                  learned.put(role, linears.get(module));
                }
              });
      blocks.add(learned);
    }
    List<Map<LinearRole, PartKey>> chosen = new ArrayList<>();
    if (settings.learnsIntegers()) {
      for (Map<LinearRole, LearnedLinear> block : blocks) {
        Map<LinearRole, PartKey> named = new TreeMap<>();
        block.forEach(
            (role, linear) -> {
              CandidatesStep step = new CandidatesStep(linear, settings.integers());
              candidates.add(step);
              named.put(role, step.part());
            });
        chosen.add(named);
      }
    }
    model =
        TuneSteps.model(
            context,
            blocks,
            chosen,
            embeddings.parts(),
            full.outputs(),
            settings.learnsIntegers() ? settings.hiddenStates() : 0);
    steps = new TuneSteps(model, settings);
  }

  /**
   * What tuning has come to.
   *
   * @param linears by module
   * @param norms read from elsewhere, by the tensor's name
   * @param parts that stay in the store
   */
  public record Tuned(
      Map<String, LearnedLinear> linears, Map<String, TensorRef> norms, List<PartKey> parts) {}

  /** Windows of {@code window} tokens that go through the model in one task, at most. */
  public static int together(int window) {
    return TuneSteps.together(window);
  }

  /** Tasks that so many windows of {@code window} tokens are spread over. */
  public static int tasks(int windows, int window) {
    int most = TuneSteps.together(window);
    return (windows + most - 1) / most;
  }

  /** What it cost in this run. */
  public StepRunner.Ran ran() {
    return ran;
  }

  /** Takes the steps that an earlier run has not. */
  public Tuned run() {
    PartStore store = context.runner().store();
    List<PartKey> losses = new ArrayList<>();
    int best = steps.looks().isEmpty() ? steps.iterations() : 0;
    double least = Double.POSITIVE_INFINITY;
    int at = 0;
    for (int look : steps.looks()) {
      List<LossStep> here = steps.losses(look);
      here.forEach(loss -> losses.add(loss.part()));
      if (!context.runner().missing(here).isEmpty()) {
        at = go(at, look, best);
        prepare();
        ran = ran.plus(context.runner().run("losses", Where.MODEL, here));
      } else {
        context.runner().found("losses", here.size());
      }
      double loss = here.stream().mapToDouble(one -> one.read(store)).sum();
      progress.say(
          String.format(
              Locale.ROOT,
              "end to end, %d of %d steps: mean KL %.4g on windows held back",
              look,
              steps.iterations(),
              loss / steps.heldPositions()));
      // NaN is no progress.
      if (loss < least) {
        forgetStates(best, at);
        least = loss;
        best = look;
      }
    }
    Tuned tuned = best == 0 ? new Tuned(given, Map.of(), List.of()) : finish(best, at);
    forgetStates(best, -1);
    forgetStates(at, -1);
    full.forget();
    candidates.forEach(step -> store.delete(step.part()));
    List<PartKey> parts = new ArrayList<>(losses);
    parts.addAll(tuned.parts());
    return new Tuned(tuned.linears(), tuned.norms(), parts);
  }

  /** What steps read. */
  private void prepare() {
    if (prepared) {
      return;
    }
    prepared = true;
    if (!context.runner().store().hasAll(embeddings.parts())) {
      embeddings.make();
    }
    ran = ran.plus(full.make());
    ran = ran.plus(context.runner().run("candidates", Where.MODEL, candidates));
  }

  /** Goes on to a step from the last one before it whose states are there; where it has come to. */
  private int go(int at, int wanted, int keep) {
    PartStore store = context.runner().store();
    int from = wanted;
    while (from > 0 && !store.hasAll(steps.states(from))) {
      from--;
    }
    if (from < wanted) {
      prepare();
    }
    if (at != from) {
      forgetStatesBut(at, keep);
    }
    for (int step = from + 1; step <= wanted; step++) {
      ran = ran.plus(context.runner().run("gradients", Where.MODEL, steps.gradients(step)));
      ran = ran.plus(context.runner().run("steps", Where.MODEL, steps.updates(step)));
      steps.gradients(step).forEach(one -> store.delete(one.part()));
      forgetStatesBut(step - 1, keep);
    }
    return wanted;
  }

  private void forgetStatesBut(int step, int keep) {
    if (step != keep) {
      forgetStates(step, -1);
    }
  }

  private void forgetStates(int step, int but) {
    if (step > 0 && step != but) {
      steps.states(step).forEach(context.runner().store()::delete);
    }
  }

  /** Writes linears and norms as the best state has them. */
  private Tuned finish(int best, int at) {
    List<TunedTileStep> tiles = new ArrayList<>();
    List<TunedNormsStep> norms = new ArrayList<>();
    Map<String, LearnedLinear> linears = new HashMap<>(given);
    Map<String, PlanEntry> entries = context.plan().quantized();
    List<PartKey> states = steps.states(best);
    for (int block = 0; block < blocks.size(); block++) {
      PartKey state = states.get(block);
      int number = block;
      blocks
          .get(block)
          .forEach(
              (role, linear) -> {
                TensorRef source = entries.get(linear.module()).source();
                TunedTileStep step = new TunedTileStep(model, number, role, state, source);
                tiles.add(step);
                linears.put(linear.module(), step.linear());
              });
      BlockSpec spec = context.block(block);
      boolean fromOne = spec.shape().traits().normsFromOne();
      norms.add(new TunedNormsStep(state, TunedBlock.tensors(spec), fromOne));
    }
    ModelHead head = ModelHead.of(context.plan().checkpoint(), context.plan().config());
    norms.add(
        new TunedNormsStep(
            states.get(blocks.size()),
            Map.of(TuneSteps.FINAL_NORM, head.norm()),
            head.normFromOne()));
    StepRunner runner = context.runner();
    boolean missing = !runner.missing(tiles).isEmpty() || !runner.missing(norms).isEmpty();
    if (missing && !runner.store().hasAll(states)) {
      go(at, best, best);
    }
    ran = ran.plus(runner.run("tuned linears", Where.MODEL, tiles));
    ran = ran.plus(runner.run("tuned norms", Where.MODEL, norms));
    List<PartKey> parts = new ArrayList<>();
    tiles.forEach(step -> parts.addAll(step.parts()));
    norms.stream().map(Step::part).forEach(parts::add);
    return new Tuned(linears, read(norms), parts);
  }

  /** Where tuned norms lie, by the tensor's name; each shard is held against its checksum. */
  private Map<String, TensorRef> read(List<TunedNormsStep> steps) {
    StepRunner runner = context.runner();
    Map<String, TensorRef> norms = new HashMap<>();
    for (TunedNormsStep step : steps) {
      try (PartReader reader = runner.store().read(step.part())) {
        StoredShard.check(runner.store(), step.part(), reader.note(TunedNormsStep.CHECKSUM));
      }
      norms.putAll(StoredShard.tensors(runner.store(), step.part(), runner.configuration()));
    }
    return norms;
  }
}
