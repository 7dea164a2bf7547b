package io.shardpress.spark.sweep;

import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.store.PartKey;
import java.util.List;
import java.util.Map;

/**
 * What all steps of a calibrated run share.
 *
 * @param arithmetic backend and loops, part of every part's name
 * @param samples the partitions of the calibration windows
 * @param window tokens of a window
 */
public record SweepContext(
    CompressionPlan plan,
    StepRunner runner,
    String arithmetic,
    List<SamplePartition> samples,
    int window) {
  /** Classes of this room that cross Spark and that no other of ours leads to. */
  public static final List<Class<?>> CROSSING =
      List.of(
          EmbedStep.class,
          ForwardStep.class,
          SiteStep.class,
          HeadStep.class,
          BackwardStep.class,
          AdvanceStep.class,
          ExpertMomentsStep.class,
          Unobserved.class,
          ErrorObserver.class,
          RoutingObserver.class,
          MomentsObserver.class);

  /** What learns the blocks. */
  public Modifier learner() {
    return plan.learner();
  }

  /** The same with tensors that are read from elsewhere, by name. */
  public SweepContext with(Map<String, TensorRef> changed) {
    return new SweepContext(plan.with(changed), runner, arithmetic, samples, window);
  }

  /** A block, in descriptions of Spark jobs. */
  public Where where(int block) {
    return Where.block(block, plan.config().layers());
  }

  /** A block of the model. */
  public BlockSpec block(int number) {
    return BlockSpec.of(plan.checkpoint(), plan.config(), number);
  }

  /**
   * What a block makes of the calibration windows, by sample partition.
   *
   * @param inputs the block's inputs, likewise
   */
  public List<BlockOutput> outputs(
      ChainLink link, List<PartKey> inputs, Span span, Observer beside) {
    return samples.stream()
        .map(
            partition ->
                new BlockOutput(
                    arithmetic,
                    link,
                    inputs.get(partition.index()),
                    partition,
                    window,
                    span,
                    beside))
        .toList();
  }
}
