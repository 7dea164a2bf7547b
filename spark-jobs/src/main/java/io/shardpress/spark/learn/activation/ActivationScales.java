package io.shardpress.spark.learn.activation;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.output.CompressedTensors;
import io.shardpress.schemas.recipe.ActivationScheme;
import io.shardpress.schemas.recipe.KvCacheScheme;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.ForwardStep;
import io.shardpress.spark.sweep.Span;
import io.shardpress.spark.sweep.SweepContext;
import io.shardpress.spark.sweep.Unobserved;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Measures static scales of activations, keys and values: once all weights are learned, the
 * calibration windows go through the quantized blocks in order, from the last block whose inputs
 * are there before the first that has no scales, up to the last that has none.
 */
public final class ActivationScales {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(RangesObserver.class, ActivationScaleStep.class);

  private final SweepContext context;
  private final Map<String, LearnedLinear> learned;
  private final Map<String, PlanEntry> entries;
  private final KvCacheScheme cache;
  private final Embeddings embeddings;
  private final boolean keepActivations;

  /**
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public ActivationScales(
      SweepContext context,
      Map<String, LearnedLinear> learned,
      Embeddings embeddings,
      boolean keepActivations) {
    this.context = context;
    this.learned = learned;
    this.embeddings = embeddings;
    this.keepActivations = keepActivations;
    this.entries = context.plan().quantized();
    this.cache = context.plan().recipe().kvCache().orElse(null);
  }

  private record Measured(BlockSpec spec, List<ForwardStep> passes, ActivationScaleStep scales) {
    boolean ready(PartStore store) {
      return store.hasAll(passes.stream().map(pass -> pass.output().input()).toList());
    }

    void forget(PartStore store, boolean keepInputs) {
      passes.forEach(pass -> store.delete(pass.observed()));
      if (!keepInputs) {
        passes.forEach(pass -> store.delete(pass.output().input()));
      }
    }
  }

  /**
   * Measures every block.
   *
   * @return by name of the published tensor: MODULE.input_scale, ATTENTION.k_scale, …
   */
  public Map<String, StaticScale> run() {
    List<Measured> steps = steps();
    PartStore store = context.runner().store();
    Set<PartKey> present = store.present(steps.stream().map(s -> s.scales().part()).toList());
    List<Boolean> wanted =
        steps.stream().map(step -> !present.contains(step.scales().part())).toList();
    int end = wanted.lastIndexOf(true) + 1;
    int first = Math.max(0, wanted.indexOf(true));
    while (first > 0 && !steps.get(first).ready(store)) {
      first--;
    }
    if (first == 0 && end > 0) {
      embeddings.make();
    }
    for (int i = first; i < end; i++) {
      int block = i;
      List<Runnable> lanes = new ArrayList<>();
      lanes.add(() -> observe(steps.get(block), block));
      if (block > first) {
        lanes.add(() -> scale(steps.get(block - 1), block - 1));
      }
      context.runner().sideBySide(lanes);
    }
    if (first < end) {
      scale(steps.get(end - 1), end - 1);
    }
    if (!keepActivations) {
      embeddings.forget();
    }
    return scales(steps);
  }

  private void observe(Measured step, int block) {
    context.runner().run("activations", context.where(block), step.passes());
  }

  /** A block's scales from what was observed, while the windows go through the next. */
  private void scale(Measured step, int block) {
    context.runner().run("scales", context.where(block), List.of(step.scales()));
    step.forget(context.runner().store(), keepActivations);
  }

  /** The parts that stay in the store, there or not. */
  public List<PartKey> parts() {
    List<PartKey> parts = new ArrayList<>();
    for (Measured step : steps()) {
      parts.add(step.scales().part());
      if (keepActivations) {
        step.passes().forEach(pass -> parts.add(pass.output().input()));
      }
    }
    return parts;
  }

  private Map<String, StaticScale> scales(List<Measured> steps) {
    Map<String, StaticScale> scales = new HashMap<>();
    steps.forEach(step -> name(step, scales));
    return scales;
  }

  private List<Measured> steps() {
    CompressionPlan plan = context.plan();
    List<Measured> steps = new ArrayList<>();
    List<PartKey> inputs = embeddings.parts();
    for (int i = 0; i < plan.config().layers(); i++) {
      BlockSpec spec = BlockSpec.of(plan.checkpoint(), plan.config(), i);
      boolean last = i == plan.config().layers() - 1;
      List<ForwardStep> passes = passes(link(spec), inputs, last);
      steps.add(new Measured(spec, passes, scales(spec, passes)));
      inputs = passes.stream().map(ForwardStep::outputPart).toList();
    }
    return steps;
  }

  private ChainLink link(BlockSpec spec) {
    Map<LinearRole, LearnedLinear> linears = new TreeMap<>();
    spec.modules()
        .forEach(
            (role, module) -> {
              if (learned.containsKey(module)) {
                linears.put(role, learned.get(module));
              }
            });
    return new ChainLink(spec, linears);
  }

  private List<ForwardStep> passes(ChainLink link, List<PartKey> inputs, boolean last) {
    return context.outputs(link, inputs, Span.BLOCK, new Unobserved()).stream()
        .map(output -> new ForwardStep(output, !last, new RangesObserver()))
        .toList();
  }

  private ActivationScaleStep scales(BlockSpec spec, List<ForwardStep> passes) {
    Map<Stage, ActivationScheme> inputs = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      for (LinearRole role : spec.shape().linears(stage)) {
        PlanEntry entry = entries.get(spec.modules().get(role));
        if (entry != null && entry.choice().group().staticActivations()) {
          inputs.put(stage, entry.choice().group().activations());
        }
      }
    }
    List<PartKey> ranges = passes.stream().map(ForwardStep::observed).toList();
    return new ActivationScaleStep(
        context.arithmetic(), ranges, inputs, cache, context.plan().scaleFormat());
  }

  private void name(Measured step, Map<String, StaticScale> scales) {
    PartKey part = step.scales().part();
    step.scales()
        .inputs()
        .forEach(
            (stage, scheme) -> {
              for (LinearRole role : step.spec().shape().linears(stage)) {
                String module = step.spec().modules().get(role);
                StaticScale scale = StaticScale.ofInputs(part, stage);
                scales.put(module + CompressedTensors.INPUT_SCALE, scale);
                scales.put(module + CompressedTensors.INPUT_ZERO_POINT, scale);
              }
            });
    if (cache != null) {
      String output = step.spec().modules().get(LinearRole.O);
      String attention = output.substring(0, output.lastIndexOf('.'));
      scales.put(attention + CompressedTensors.K_SCALE, StaticScale.ofKeys(part));
      scales.put(attention + CompressedTensors.V_SCALE, StaticScale.ofValues(part));
    }
  }
}
