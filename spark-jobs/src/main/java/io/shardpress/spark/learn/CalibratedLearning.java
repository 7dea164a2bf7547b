package io.shardpress.spark.learn;

import io.shardpress.spark.engine.Progress;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepGroup;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.learn.blockwise.BlockwiseStep;
import io.shardpress.spark.learn.coupled.Curvature;
import io.shardpress.spark.plan.PlanEntry;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.sweep.AdvanceStep;
import io.shardpress.spark.sweep.BlockError;
import io.shardpress.spark.sweep.BlockOutput;
import io.shardpress.spark.sweep.BlockState;
import io.shardpress.spark.sweep.Embeddings;
import io.shardpress.spark.sweep.ForwardStep;
import io.shardpress.spark.sweep.SamplePartition;
import io.shardpress.spark.sweep.SweepContext;
import java.util.ArrayList;
import java.util.List;

/**
 * The calibrate and compress jobs of learners that need activations. In order, a block learns on
 * what the quantized blocks before it give; in parallel, all learn side by side on full-precision
 * inputs.
 *
 * <p>Blocks whose result is in the store are not learned again, and the text goes through blocks
 * only on the way to one that is learned: from the last block before it whose inputs are there, or
 * from the embeddings.
 */
public final class CalibratedLearning {
  private final SweepContext context;
  private final Embeddings embeddings;
  private final boolean keepActivations;
  private final Progress progress;
  private final PartStore store;
  private StepRunner.Ran learners = StepRunner.Ran.NOTHING;

  /**
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public CalibratedLearning(
      SweepContext context, Embeddings embeddings, boolean keepActivations, Progress progress) {
    this.context = context;
    this.embeddings = embeddings;
    this.keepActivations = keepActivations;
    this.progress = progress;
    this.store = context.runner().store();
  }

  /** What the learners themselves cost, forward passes that only carry activations on apart. */
  public StepRunner.Ran learners() {
    return learners;
  }

  /** Learns every block that an earlier run has not. */
  public void run(BlockTurns turns) {
    List<BlockTurn> last = turns.last();
    List<Boolean> wanted = last.stream().map(turn -> !turn.known(store)).toList();
    int known = (int) wanted.stream().filter(learns -> !learns).count();
    progress.found("blocks", known, last.size());
    if (wanted.contains(true)) {
      turns.curvature().ifPresent(this::make);
    }
    progress.begin(last.size());
    if (!turns.sideBySide().isEmpty()) {
      sideBySide(turns.sideBySide(), wanted, turns.inOrder().isEmpty());
    }
    if (!turns.inOrder().isEmpty()) {
      inOrder(turns.inOrder(), wanted);
      if (!keepActivations) {
        turns.sideBySide().forEach(turn -> forgetInputs(turn.block().full));
      }
    }
    progress.end();
  }

  private void make(Curvature curvature) {
    curvature.make();
    learners = learners.plus(curvature.ran());
  }

  private void inOrder(List<BlockTurn> turns, List<Boolean> wanted) {
    int begin = begin(turns, wanted);
    int end = wanted.lastIndexOf(true) + 1;
    for (int i = 0; i < turns.size(); i++) {
      BlockTurn turn = turns.get(i);
      if (i < begin || i >= end) {
        reused(turn);
        continue;
      }
      boolean staged = wanted.get(i) && learn(turn, i + 1 < end ? turns.get(i + 1) : null);
      BlockState block = turn.block();
      if (staged) {
        run("outputs", block, advances(turn, true));
      } else {
        forward("targets", block, turn.nextFull());
        forward("outputs", block, turn.nextQuantized());
      }
      report(turn);
      turn.forget(store, keepActivations);
    }
    if (end > 0) {
      // Of a last block nobody wants the outputs, of another its successor, in a later run.
      boolean keep = keepActivations && end < turns.size();
      forget(keep ? List.of() : turns.get(end - 1).nextFull());
      forget(keep ? List.of() : turns.get(end - 1).nextQuantized());
    }
  }

  /**
   * Where to begin: at the first block that is to be learned, or as far before it as inputs are
   * missing. What an earlier run had no time to forget behind that is forgotten.
   */
  private int begin(List<BlockTurn> turns, List<Boolean> wanted) {
    int begin = wanted.indexOf(true);
    if (begin < 0) {
      return turns.size();
    }
    while (begin > 0 && !turns.get(begin).ready(store)) {
      begin--;
    }
    if (begin == 0) {
      embeddings.make();
    } else {
      turns.get(begin - 1).forget(store, keepActivations);
    }
    return begin;
  }

  private void sideBySide(List<BlockTurn> turns, List<Boolean> published, boolean last) {
    // Where blocks learn again in order, a first result is wanted only on the way to a second.
    List<Boolean> wanted = new ArrayList<>();
    for (int i = 0; i < turns.size(); i++) {
      wanted.add(published.get(i) && !turns.get(i).known(store));
    }
    int begin = begin(turns, wanted);
    int end = wanted.lastIndexOf(true) + 1;
    List<BlockTurn> learning = new ArrayList<>();
    for (int i = begin; i < end; i++) {
      BlockTurn turn = turns.get(i);
      BlockState block = turn.block();
      forward("inputs", block, turn.nextFull());
      if (wanted.get(i)) {
        learning.add(turn);
      }
    }
    learnSideBySide(learning);
    for (int i = 0; i < turns.size() && last; i++) {
      BlockTurn turn = turns.get(i);
      BlockState block = turn.block();
      if (wanted.get(i)) {
        forward("errors", block, turn.nextQuantized());
        report(turn);
        forget(turn.nextQuantized());
      } else {
        reused(turn);
      }
    }
    for (int i = begin; i < end; i++) {
      turns.get(i).forget(store, keepActivations || !last);
      if (last && !keepActivations) {
        forget(turns.get(i).nextFull());
      }
    }
  }

  private void learnSideBySide(List<BlockTurn> turns) {
    if (turns.isEmpty()) {
      return;
    }
    List<BlockwiseStep> units = turns.stream().map(BlockTurn::unit).filter(u -> u != null).toList();
    List<StepGroup> steps = StepGroup.together(turns.stream().map(BlockTurn::stages).toList());
    learners = learners.plus(StepGroup.run(context.runner(), steps));
    if (!units.isEmpty()) {
      learners =
          learners.plus(context.runner().run(algorithm(), Where.blocks(turns.size()), units));
    }
  }

  /**
   * Learns a block.
   *
   * @param next the block after it; null where that is not gone through
   * @return whether the states of its stages are there, so that its output is one stage away
   */
  private boolean learn(BlockTurn turn, BlockTurn next) {
    BlockState block = turn.block();
    if (block.sparse()) {
      forward("targets", block, turn.nextFull());
      learners = learners.plus(StepGroup.run(context.runner(), turn.stages()));
      return false;
    }
    if (turn.solver() != null) {
      learners = learners.plus(StepGroup.run(context.runner(), turn.stages()));
      if (turn.unit() == null && turn.steps() == null) {
        return true;
      }
      // GPTQ's passes have taken the full-precision chain to the block's last product.
      run("targets", block, advances(turn, false));
    } else {
      forward("targets", block, turn.nextFull());
    }
    List<Runnable> lanes = new ArrayList<>();
    lanes.add(
        () ->
            learners =
                learners.plus(
                    turn.steps() == null
                        ? run(algorithm(), block, List.of(turn.unit()))
                        : turn.steps().run()));
    // One task learns a block; the full-precision chain does not wait for it. Where GPTQ comes
    // first, its passes will take that chain along.
    if (next != null && next.solver() == null && context.runner().onExecutors()) {
      lanes.add(() -> forward("targets", next.block(), next.nextFull()));
    }
    context.runner().sideBySide(lanes);
    return false;
  }

  private String algorithm() {
    return context.learner().kind().algorithm();
  }

  /**
   * Finishes a block from the states of its stages.
   *
   * @param both whether the quantized chain is wanted, not the full-precision one alone
   */
  private List<AdvanceStep> advances(BlockTurn turn, boolean both) {
    List<AdvanceStep> units = new ArrayList<>();
    for (SamplePartition samples : context.samples()) {
      int p = samples.index();
      units.add(
          new AdvanceStep(
              turn.block().link(),
              turn.block().inputs(p),
              turn.nextFull().get(p),
              turn.nextQuantized().get(p),
              both));
    }
    return units;
  }

  private void forward(String what, BlockState block, List<BlockOutput> outputs) {
    run(what, block, outputs.stream().map(ForwardStep::new).toList());
  }

  private StepRunner.Ran run(String what, BlockState block, List<? extends Step> units) {
    return context.runner().run(what, context.where(block.spec.block()), units);
  }

  private void reused(BlockTurn turn) {
    int tiles = (int) turn.parts().count();
    context.runner().found(turn.unit() == null ? "gptq" : algorithm(), tiles);
    progress.reused(turn.block().spec.name(), PlanEntry.bits(turn.block().targets.values()));
  }

  private void report(BlockTurn turn) {
    // Before the first quantized block both chains are one, and nobody took its error.
    boolean same = turn.nextFull().equals(turn.nextQuantized());
    double error =
        same ? 0 : BlockError.read(store, BlockOutput.parts(turn.nextQuantized())).relative();
    progress.done(turn.block().spec.name(), PlanEntry.bits(turn.block().targets.values()), error);
  }

  private void forget(List<BlockOutput> outputs) {
    outputs.forEach(output -> store.delete(output.part()));
  }

  private void forgetInputs(List<PartKey> parts) {
    parts.forEach(store::delete);
  }
}
