package io.shardpress.spark.sweep;

import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.spark.engine.Digests;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.store.PartKey;
import java.util.List;

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
    Digests digests,
    String arithmetic,
    List<SamplePartition> samples,
    int window) {
  /** The same with other digests. */
  public SweepContext with(Digests others) {
    return new SweepContext(plan, runner, others, arithmetic, samples, window);
  }

  /** What learns the blocks. */
  public Modifier learner() {
    return plan.quantized().values().iterator().next().choice().modifier();
  }

  /** A block, in descriptions of Spark jobs. */
  public Where where(int block) {
    return Where.block(block, plan.config().layers());
  }

  /** Starts the key of a step that computes with activations. */
  public PartKey.Builder key(String step) {
    return PartKey.of(step)
        .add("arithmetic", arithmetic)
        .add("config", plan.config())
        .add("window", window);
  }
}
