package io.shardpress.spark.job;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.output.OutputTensor;
import io.shardpress.schemas.recipe.BlockwiseSettings;
import io.shardpress.schemas.recipe.GptqSettings;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.ModifierKind;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.schemas.safetensors.TensorSpec;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.unit.AdvanceUnit;
import io.shardpress.spark.unit.BlockError;
import io.shardpress.spark.unit.BlockSpec;
import io.shardpress.spark.unit.BlockwiseUnit;
import io.shardpress.spark.unit.ChainLink;
import io.shardpress.spark.unit.ForwardUnit;
import io.shardpress.spark.unit.LayerCourse;
import io.shardpress.spark.unit.LearnedLinear;
import io.shardpress.spark.unit.SamplePartition;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The calibrate and compress jobs of learners that need activations. In order, a block learns on
 * what the quantized blocks before it give; in parallel, all learn side by side on full-precision
 * inputs.
 */
final class CalibratedJob {
  private final ChainContext context;
  private final Modifier modifier;
  private final BlockwiseSettings blockwise;
  private final Progress progress;
  private final Map<String, PlanEntry> entries;
  private TaskRunner.Ran learners = TaskRunner.Ran.NOTHING;

  CalibratedJob(ChainContext context, Progress progress) {
    this.context = context;
    this.progress = progress;
    this.entries = context.plan().quantized();
    this.modifier = entries.values().iterator().next().choice().modifier();
    this.blockwise = modifier.kind().blockwise() ? BlockwiseSettings.of(modifier) : null;
  }

  /** What the learners themselves cost, forward passes that only carry activations on apart. */
  TaskRunner.Ran learners() {
    return learners;
  }

  /**
   * Learns every block.
   *
   * @param embedded the first block's inputs, by sample partition
   * @return what was learned, by module
   */
  Map<String, LearnedLinear> run(List<PartKey> embedded) {
    int blocks = context.plan().config().layers();
    progress.begin(blocks);
    Map<String, LearnedLinear> learned;
    if (!parallel()) {
      learned = inOrder(embedded, Map.of());
    } else if (blockwise.touchUp() == 0) {
      learned = sideBySide(embedded);
    } else {
      learned = inOrder(embedded, sideBySide(embedded));
    }
    progress.end();
    return learned;
  }

  private boolean parallel() {
    return modifier.learnsByBlocks() && blockwise.order() == BlockwiseSettings.Order.PARALLEL;
  }

  /** Whether blocks learn side by side first, and then again in order. */
  private boolean touchesUp() {
    return parallel() && blockwise.touchUp() > 0;
  }

  private Map<String, LearnedLinear> inOrder(
      List<PartKey> embedded, Map<String, LearnedLinear> start) {
    Map<String, LearnedLinear> learned = new HashMap<>();
    List<PartKey> full = embedded;
    List<PartKey> quantized = embedded;
    for (int i = 0; i < context.plan().config().layers(); i++) {
      BlockState block = block(i, full, quantized);
      block.targets.forEach(
          (role, entry) -> {
            if (start.containsKey(entry.module())) {
              block.learned.put(role, start.get(entry.module()));
            }
          });
      boolean staged = !block.targets.isEmpty() && learn(block);
      List<PartKey> nextFull = outputs(block.original(), full, block.digest);
      List<PartKey> nextQuantized = outputs(block.link(), quantized, block.digest);
      if (staged) {
        context.runner().run("outputs of block " + i, advances(block, nextFull, nextQuantized));
      } else {
        forward("targets of block " + i, block.original(), full, nextFull, null);
        forward("outputs of block " + i, block.link(), quantized, nextQuantized, nextFull);
      }
      report(block, nextQuantized);
      block.learned.forEach((role, linear) -> learned.put(linear.module(), linear));
      forget(block.passing);
      forget(full);
      forget(quantized);
      full = nextFull;
      quantized = nextQuantized;
    }
    forget(full);
    forget(quantized);
    return learned;
  }

  private Map<String, LearnedLinear> sideBySide(List<PartKey> embedded) {
    Map<String, LearnedLinear> learned = new HashMap<>();
    List<BlockState> blocks = new ArrayList<>();
    List<List<PartKey>> targets = new ArrayList<>();
    List<PartKey> full = embedded;
    for (int i = 0; i < context.plan().config().layers(); i++) {
      BlockState block = block(i, full, full);
      List<PartKey> next = outputs(block.original(), full, block.digest);
      forward("inputs of block " + (i + 1), block.original(), full, next, null);
      blocks.add(block);
      targets.add(next);
      full = next;
    }
    learnByBlocks(blockwise, blocks, targets);
    for (int i = 0; i < blocks.size(); i++) {
      BlockState block = blocks.get(i);
      block.learned.forEach((role, linear) -> learned.put(linear.module(), linear));
      if (touchesUp()) {
        forget(block.passing);
        continue;
      }
      List<PartKey> local = keys("local output", block.link(), block.full, block.digest);
      forward("error of block " + i, block.link(), block.full, local, targets.get(i));
      report(block, local);
      forget(local);
      forget(block.passing);
    }
    if (!touchesUp()) {
      forget(embedded);
      targets.forEach(this::forget);
    }
    return learned;
  }

  /**
   * Learns a block, unless the store has the result.
   *
   * @return whether the states of its stages are there, so that its output is one stage away
   */
  private boolean learn(BlockState block) {
    List<BlockState> alone = List.of(block);
    if (!modifier.learnsByBlocks()) {
      LayerCourse layer = modifier.kind() == ModifierKind.LRQ ? LayerCourse.of(modifier) : null;
      GptqParameters parameters = new GptqParameters(GptqSettings.of(modifier), false, layer);
      GptqSolver solver = new GptqSolver(context, parameters);
      List<GptqSolver.StageUnits> stages = solver.prepare(alone);
      if (known(block)) {
        return false;
      }
      learners = learners.plus(solver.run(stages));
      return true;
    }
    List<PartKey> targets = outputs(block.original(), block.full, block.digest);
    if (!modifier.solvesByGptq() || touchesUp()) {
      String what = "targets of block " + block.spec.block();
      forward(what, block.original(), block.full, targets, null);
    }
    learnByBlocks(
        touchesUp() ? blockwise.withIterations(blockwise.touchUp()) : blockwise,
        alone,
        List.of(targets));
    return false;
  }

  /**
   * Learns blocks side by side, from GPTQ's result where that is asked for and they have not been
   * learned before.
   */
  private void learnByBlocks(
      BlockwiseSettings course, List<BlockState> blocks, List<List<PartKey>> targets) {
    boolean first = blocks.stream().allMatch(block -> block.learned.isEmpty());
    List<GptqSolver.StageUnits> stages = List.of();
    GptqSolver solver = null;
    if (first && modifier.solvesByGptq()) {
      solver = new GptqSolver(context, new GptqParameters(GptqSettings.of(modifier), true));
      stages = solver.prepare(blocks);
    }
    boolean again = first && touchesUp();
    List<BlockwiseUnit> units =
        new BlockwiseSolver(context, modifier, course, again).prepare(blocks, targets);
    if (blocks.stream().allMatch(this::known)) {
      return;
    }
    if (solver != null) {
      learners = learners.plus(solver.run(stages));
      // GPTQ's passes have taken the full-precision chain to the block's last product.
      for (int i = 0; i < blocks.size(); i++) {
        BlockState block = blocks.get(i);
        String what = "targets of block " + block.spec.block();
        context.runner().run(what, advances(block, targets.get(i), null));
      }
    }
    String what = modifier.kind().algorithm() + " from block " + blocks.get(0).spec.block();
    learners = learners.plus(context.runner().run(what, units));
  }

  /** Whether an earlier run left what this block is to learn. */
  private boolean known(BlockState block) {
    return block.learned.values().stream()
        .flatMap(linear -> linear.tiles().stream())
        .allMatch(context.runner().store()::has);
  }

  private BlockState block(int number, List<PartKey> full, List<PartKey> quantized) {
    CompressionPlan plan = context.plan();
    BlockSpec spec = BlockSpec.of(plan.checkpoint(), plan.config(), number);
    Map<LinearRole, PlanEntry> targets = new EnumMap<>(LinearRole.class);
    spec.modules()
        .forEach(
            (role, module) -> {
              if (entries.containsKey(module)) {
                targets.put(role, entries.get(module));
              }
            });
    return new BlockState(spec, context.digests().of(spec.tensors()), targets, full, quantized);
  }

  /** The names of a block's outputs. */
  private List<PartKey> outputs(ChainLink link, List<PartKey> inputs, String digest) {
    return keys("output", link, inputs, digest);
  }

  private List<PartKey> keys(String step, ChainLink link, List<PartKey> inputs, String digest) {
    List<PartKey> keys = new ArrayList<>();
    for (PartKey input : inputs) {
      PartKey.Builder key = context.key(step).add("input", input).add("block", digest);
      link.learned().forEach((role, linear) -> key.add(role.label(), linear.tiles()));
      keys.add(key.build());
    }
    return keys;
  }

  /**
   * Finishes a block from the states of its stages.
   *
   * @param quantized null where only the full-precision chain is wanted
   */
  private List<AdvanceUnit> advances(
      BlockState block, List<PartKey> full, List<PartKey> quantized) {
    List<AdvanceUnit> units = new ArrayList<>();
    for (SamplePartition samples : context.samples()) {
      int p = samples.index();
      units.add(
          new AdvanceUnit(
              full.get(p),
              quantized == null ? null : quantized.get(p),
              block.link(),
              block.inputs(p),
              samples,
              context.window()));
    }
    return units;
  }

  private void forward(
      String what,
      ChainLink link,
      List<PartKey> inputs,
      List<PartKey> outputs,
      List<PartKey> reference) {
    List<ForwardUnit> units = new ArrayList<>();
    for (SamplePartition samples : context.samples()) {
      int p = samples.index();
      units.add(
          new ForwardUnit(
              outputs.get(p),
              link,
              inputs.get(p),
              reference == null ? null : reference.get(p),
              samples,
              context.window()));
    }
    context.runner().run(what, units);
  }

  private void report(BlockState block, List<PartKey> outputs) {
    BlockError error = BlockError.read(context.runner().store(), outputs);
    progress.done(block.spec.name(), bits(block.targets.values()), error.relative());
  }

  /** Stored bits for each weight of some linears. */
  static double bits(Iterable<PlanEntry> entries) {
    double bits = 0;
    double weights = 0;
    for (PlanEntry entry : entries) {
      for (OutputTensor tensor : entry.outputs()) {
        if (!tensor.name().endsWith(".weight_shape")) {
          bits +=
              8.0 * new TensorSpec(tensor.name(), Dtype.of(tensor.dtype()), tensor.shape()).bytes();
        }
      }
      weights += entry.tensor().elements();
    }
    return weights == 0 ? 0 : bits / weights;
  }

  private void forget(List<PartKey> parts) {
    parts.forEach(context.runner().store()::delete);
  }
}
