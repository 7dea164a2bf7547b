package io.shardpress.spark.sweep;

import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.ModelHead;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The way of the calibration text through the full-precision model and back: forward with every
 * block's input kept in the store, the head, then the blocks in reverse, with an observer in each.
 * All parts have their names, whether they are there or not.
 */
public final class BackwardSweep {
  private final SweepContext context;
  private final Embeddings embeddings;
  private final boolean keepActivations;
  private final List<List<PartKey>> inputs = new ArrayList<>();
  private final List<List<ForwardStep>> forward = new ArrayList<>();
  private final List<HeadStep> heads = new ArrayList<>();
  private final List<List<BackwardStep>> backward = new ArrayList<>();

  /**
   * @param embeddings the first block's inputs
   * @param seed of the labels
   * @param draws of labels, each with a way back of its own
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public BackwardSweep(
      SweepContext context,
      Embeddings embeddings,
      long seed,
      int draws,
      boolean keepActivations,
      GradientObserver observer) {
    this.context = context;
    this.embeddings = embeddings;
    this.keepActivations = keepActivations;
    int layers = context.plan().config().layers();
    List<PartKey> next = embeddings.parts();
    for (int block = 0; block < layers; block++) {
      inputs.add(next);
      ChainLink link = new ChainLink(context.block(block), Map.of());
      List<BlockOutput> outputs = context.outputs(link, next, Span.BLOCK, new Unobserved());
      forward.add(outputs.stream().map(ForwardStep::new).toList());
      next = BlockOutput.parts(outputs);
      backward.add(List.of());
    }
    ModelHead head = ModelHead.of(context.plan().checkpoint(), context.plan().config());
    for (int draw = 0; draw < draws; draw++) {
      for (SamplePartition samples : context.samples()) {
        PartKey input = next.get(samples.index());
        heads.add(
            new HeadStep(context.arithmetic(), head, input, samples, context.window(), seed, draw));
      }
    }
    List<PartKey> gradients = heads.stream().map(Step::part).toList();
    for (int block = layers - 1; block >= 0; block--) {
      List<BackwardStep> steps = steps(block, gradients, observer);
      backward.set(block, steps);
      gradients = block == 0 ? List.of() : steps.stream().map(BackwardStep::passedOn).toList();
    }
  }

  private List<BackwardStep> steps(int block, List<PartKey> gradients, GradientObserver observer) {
    ChainLink link = new ChainLink(context.block(block), Map.of());
    List<BackwardStep> steps = new ArrayList<>();
    for (int i = 0; i < heads.size(); i++) {
      SamplePartition samples = heads.get(i).samples();
      steps.add(
          new BackwardStep(
              context.arithmetic(),
              link,
              inputs.get(block).get(samples.index()),
              gradients.get(i),
              samples,
              context.window(),
              block == 0,
              observer));
    }
    return steps;
  }

  /** What is observed of a block: draws in order, of each the partitions in order. */
  public List<PartKey> observed(int block) {
    return backward.get(block).stream().map(BackwardStep::observed).toList();
  }

  /** What is done with a block's observations as soon as they are there. */
  @FunctionalInterface
  public interface Reduction {
    /** Makes something of what was observed of a block; the parts observed go afterwards. */
    StepRunner.Ran of(int block);
  }

  /**
   * Goes as far as the lowest of some blocks, from where an earlier run has come to.
   *
   * @param wanted of each block, whether its observations are; at least one is
   * @return what it cost
   */
  public StepRunner.Ran run(List<Boolean> wanted, Reduction reduction) {
    PartStore store = context.runner().store();
    StepRunner runner = context.runner();
    int lowest = wanted.indexOf(true);
    int top = wanted.lastIndexOf(true);
    while (top < forward.size() && !store.hasAll(gradients(top))) {
      top++;
    }
    int last = forward.size() - 1;
    StepRunner.Ran ran = forward(lowest, top > last);
    if (top > last) {
      top = last;
      ran = ran.plus(runner.run("gradients of the head", Where.MODEL, heads));
      forget(outputs(last));
    }
    for (int block = top; block >= lowest; block--) {
      ran = ran.plus(runner.run("backward", context.where(block), backward.get(block)));
      if (wanted.get(block)) {
        ran = ran.plus(reduction.of(block));
      }
      forget(observed(block));
      forget(gradients(block));
      if (block > 0 && !keepActivations) {
        forget(inputs.get(block));
      }
    }
    if (lowest > 0) {
      forget(backward.get(lowest).stream().map(BackwardStep::passedOn).toList());
    }
    return ran;
  }

  /** Makes the inputs of blocks from {@code lowest} on that are not there, and the last output. */
  private StepRunner.Ran forward(int lowest, boolean whole) {
    StepRunner.Ran ran = StepRunner.Ran.NOTHING;
    PartStore store = context.runner().store();
    int end = whole ? forward.size() : highestInput(lowest);
    int begin = lowest;
    while (begin > 0 && !store.hasAll(inputs.get(begin))) {
      begin--;
    }
    if (begin == 0 && !store.hasAll(inputs.get(0))) {
      embeddings.make();
    }
    for (int block = begin; block < end; block++) {
      ran = ran.plus(context.runner().run("inputs", context.where(block), forward.get(block)));
      if (block > 0 && block < lowest && !keepActivations) {
        forget(inputs.get(block));
      }
    }
    return ran;
  }

  /** The last block whose input is needed where the way back goes on from a stored gradient. */
  private int highestInput(int lowest) {
    PartStore store = context.runner().store();
    int block = lowest;
    while (block < forward.size() - 1 && !store.hasAll(gradients(block))) {
      block++;
    }
    return block;
  }

  /** The gradients of a block's output. */
  private List<PartKey> gradients(int block) {
    return backward.get(block).stream().map(BackwardStep::gradient).toList();
  }

  private List<PartKey> outputs(int block) {
    return forward.get(block).stream().map(ForwardStep::outputPart).toList();
  }

  private void forget(List<PartKey> parts) {
    parts.forEach(context.runner().store()::delete);
  }
}
