package io.shardpress.spark.learn.transform;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.AwqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.recipe.SmoothQuantSettings;
import io.shardpress.schemas.recipe.TargetMatcher;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.plan.ScaledStages;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.StoredShard;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.ForwardStep;
import io.shardpress.spark.sweep.Span;
import io.shardpress.spark.sweep.SweepContext;
import io.shardpress.spark.sweep.Unobserved;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Modifiers that change the weights before they are quantized: each in turn over the whole model.
 * One pass of the calibration text through the full-precision model, block after block, then all
 * blocks at once. What has changed lies as shards in the store, and the plan reads it from there.
 */
public final class Transforms {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(MagnitudesObserver.class, AwqStep.class, SmoothQuantStep.class, CheckShard.class);

  private final Embeddings embeddings;
  private final List<PartKey> parts = new ArrayList<>();
  private StepRunner.Ran ran = StepRunner.Ran.NOTHING;

  public Transforms(Embeddings embeddings) {
    this.embeddings = embeddings;
  }

  /** What they cost. */
  public StepRunner.Ran ran() {
    return ran;
  }

  /** Applies the recipe's, and gives the run as those after it are to see it. */
  public SweepContext apply(SweepContext context) {
    SweepContext changed = context;
    for (Modifier modifier : context.plan().recipe().transforms()) {
      changed = apply(modifier, changed);
    }
    return changed;
  }

  /** The same from what is in the store, with nothing run: blocks not there have other names. */
  public SweepContext foresee(SweepContext context) {
    SweepContext changed = context;
    for (Modifier modifier : context.plan().recipe().transforms()) {
      List<Step> units = new ArrayList<>();
      passes(modifier, changed, units);
      List<Step> missing = context.runner().missing(units);
      Map<String, TensorRef> unknown = new HashMap<>();
      for (int block = 0; block < units.size(); block++) {
        if (missing.contains(units.get(block))) {
          String part = units.get(block).parts().get(0).hex();
          BlockSpec.of(changed.plan().checkpoint(), changed.plan().config(), block)
              .tensors()
              .forEach(tensor -> unknown.put(tensor.tensor(), tensor.withContent(part)));
        }
      }
      SweepContext read =
          read(changed, units.stream().filter(unit -> !missing.contains(unit)).toList());
      changed = read.with(unknown);
    }
    return changed;
  }

  /** The parts that they leave, there or not; of a second one, named once the first is done. */
  public List<PartKey> parts() {
    return List.copyOf(parts);
  }

  private SweepContext apply(Modifier modifier, SweepContext context) {
    List<Step> units = new ArrayList<>();
    List<List<ForwardStep>> passes = passes(modifier, context, units);
    units.forEach(unit -> parts.addAll(unit.parts()));
    make(modifier, context, passes, units);
    return read(context, units);
  }

  /** Passes over all blocks; adds to {@code units} what changes each block's weights. */
  private List<List<ForwardStep>> passes(
      Modifier modifier, SweepContext context, List<Step> units) {
    List<List<ForwardStep>> passes = new ArrayList<>();
    List<PartKey> inputs = embeddings.parts();
    for (int block = 0; block < context.plan().config().layers(); block++) {
      BlockSpec spec = BlockSpec.of(context.plan().checkpoint(), context.plan().config(), block);
      List<ForwardStep> pass = pass(context, spec, inputs);
      passes.add(pass);
      units.add(unit(modifier, context, spec, pass));
      inputs = pass.stream().map(ForwardStep::outputPart).toList();
    }
    return passes;
  }

  /**
   * Makes the units' parts that are not there, and before them what they observe; checks the
   * others.
   */
  private void make(
      Modifier modifier, SweepContext context, List<List<ForwardStep>> passes, List<Step> units) {
    List<Step> missing = context.runner().missing(units);
    List<CheckShard> checks =
        units.stream()
            .filter(unit -> !missing.contains(unit))
            .map(unit -> new CheckShard(unit.parts().get(0)))
            .toList();
    context.runner().call("checksums of stored weights", checks);
    PartStore store = context.runner().store();
    String name = modifier.kind().algorithm();
    if (!missing.isEmpty()) {
      // AWQ reads a block's inputs too; else they are wanted for the next block's alone.
      boolean keep = modifier.kind() == ModifierKind.AWQ;
      int end = units.indexOf(missing.get(missing.size() - 1)) + 1;
      int first = 0;
      while (first < end
          && (!missing.contains(units.get(first))
              || (observed(passes.get(first), store)
                  && (!keep || ready(passes.get(first), store))))) {
        first++;
      }
      while (first > 0 && first < end && !ready(passes.get(first), store)) {
        first--;
      }
      if (first == 0) {
        embeddings.make();
      }
      for (int block = first; block < end; block++) {
        ran =
            ran.plus(
                context.runner().run(name + " inputs", context.where(block), passes.get(block)));
        if (!keep && block > 0) {
          passes.get(block - 1).forEach(unit -> store.delete(unit.outputPart()));
        }
      }
    }
    ran = ran.plus(context.runner().run(name, Where.MODEL, missing, units.size()));
    if (!missing.isEmpty()) {
      passes.forEach(pass -> pass.forEach(unit -> unit.parts().forEach(store::delete)));
    }
  }

  private static boolean observed(List<ForwardStep> pass, PartStore store) {
    return pass.stream().allMatch(unit -> store.has(unit.observed()));
  }

  private static boolean ready(List<ForwardStep> pass, PartStore store) {
    return pass.stream().allMatch(unit -> store.has(unit.output().input()));
  }

  private static List<ForwardStep> pass(
      SweepContext context, BlockSpec spec, List<PartKey> inputs) {
    ChainLink original = new ChainLink(spec, Map.of());
    return context.outputs(original, inputs, Span.BLOCK, new Unobserved()).stream()
        .map(output -> new ForwardStep(output, true, new MagnitudesObserver()))
        .toList();
  }

  private Step unit(
      Modifier modifier, SweepContext context, BlockSpec spec, List<ForwardStep> pass) {
    Map<String, PlanEntry> entries = context.plan().quantized();
    Map<LinearRole, WeightScheme> schemes = new TreeMap<>();
    spec.modules()
        .forEach(
            (role, module) -> {
              if (entries.containsKey(module)) {
                schemes.put(role, entries.get(module).choice().group().weights());
              }
            });
    Set<Stage> stages = stages(modifier, context, spec, schemes.keySet());
    List<PartKey> observed = pass.stream().map(ForwardStep::observed).toList();
    if (modifier.kind() == ModifierKind.SMOOTH_QUANT) {
      double strength = SmoothQuantSettings.of(modifier).strength();
      return new SmoothQuantStep(
          context.arithmetic(), spec, observed, stages, new TreeSet<>(schemes.keySet()), strength);
    }
    AwqSettings settings = AwqSettings.of(modifier);
    return new AwqStep(
        context.arithmetic(),
        spec,
        observed,
        pass.stream().map(one -> one.output().input()).toList(),
        stages,
        schemes,
        context.plan().scaleFormat(),
        settings,
        context.samples(),
        context.window());
  }

  /** The stages whose inputs the modifier scales: those with a linear that will be quantized. */
  private static Set<Stage> stages(
      Modifier modifier, SweepContext context, BlockSpec spec, Set<LinearRole> quantized) {
    Checkpoint checkpoint = context.plan().checkpoint();
    Set<Stage> scaled =
        new ScaledStages(checkpoint.uri(), context.plan().config(), checkpoint.shapes().keySet())
            .of(modifier, spec.block());
    TargetMatcher ignored = new TargetMatcher(modifier.ignore());
    Set<Stage> stages = EnumSet.noneOf(Stage.class);
    for (Stage stage : Stage.values()) {
      if (scaled.contains(stage)
          && spec.takesScales(stage)
          && spec.shape().linears(stage).stream().anyMatch(quantized::contains)
          && spec.shape().linears(stage).stream()
              .noneMatch(role -> ignored.matches(spec.modules().get(role), "Linear"))) {
        stages.add(stage);
      }
    }
    return stages;
  }

  /** The run with what the units have changed in place of the model's own. */
  private static SweepContext read(SweepContext context, List<Step> units) {
    Map<String, TensorRef> changed = new HashMap<>();
    StepRunner runner = context.runner();
    for (Step unit : units) {
      changed.putAll(StoredShard.tensors(runner.store(), unit.part(), runner.configuration()));
    }
    return context.with(changed);
  }
}
