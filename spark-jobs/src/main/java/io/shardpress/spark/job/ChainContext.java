package io.shardpress.spark.job;

import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.unit.SamplePartition;
import java.util.List;

/**
 * What all steps of a calibrated run share.
 *
 * @param arithmetic backend and loops, part of every part's name
 * @param samples the partitions of the calibration windows
 * @param window tokens of a window
 */
record ChainContext(
    CompressionPlan plan,
    TaskRunner runner,
    Digests digests,
    String arithmetic,
    List<SamplePartition> samples,
    int window) {
  /** The same with other digests. */
  ChainContext with(Digests others) {
    return new ChainContext(plan, runner, others, arithmetic, samples, window);
  }

  /** What learns the blocks. */
  Modifier learner() {
    return plan.quantized().values().iterator().next().choice().modifier();
  }

  /** Starts the key of a step that computes with activations. */
  PartKey.Builder key(String step) {
    return PartKey.of(step)
        .add("arithmetic", arithmetic)
        .add("config", plan.config())
        .add("window", window);
  }
}
