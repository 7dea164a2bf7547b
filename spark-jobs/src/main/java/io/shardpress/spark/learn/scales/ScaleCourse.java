package io.shardpress.spark.learn.scales;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.ScaleSettings;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.Derivation;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A block whose scales are learned, its integers as they are.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param start the linears that are learned; the others stay in full precision
 * @param inputs the block's inputs, a part for each sample partition
 * @param targets its full-precision outputs, likewise
 * @param together windows that go through the block at once
 * @param tasks that share a batch
 * @param learningRate of the first step, in relative size
 */
public record ScaleCourse(
    String arithmetic,
    BlockSpec spec,
    Map<LinearRole, LearnedLinear> start,
    ScaleFormat format,
    List<PartKey> inputs,
    List<PartKey> targets,
    List<SamplePartition> samples,
    int window,
    int together,
    int tasks,
    ScaleSettings settings,
    double learningRate)
    implements Derivation {
  private static final StepKind KIND = new StepKind("scales", 1);

  public ScaleCourse {
    start = Collections.unmodifiableMap(new LinkedHashMap<>(start));
    inputs = List.copyOf(inputs);
    targets = List.copyOf(targets);
    samples = List.copyOf(samples);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }
}
