package io.shardpress.spark.learn.scales;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.BlockSpec;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.sweep.SamplePartition;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * A block whose scales are learned, its integers as they are.
 *
 * @param name of the scales that will be found: all that they depend on
 * @param start the linears that are learned; the others stay in full precision
 * @param inputs the block's inputs, a part for each sample partition
 * @param targets its full-precision outputs, likewise
 * @param together windows that go through the block at once
 */
public record ScaleCourse(
    PartKey name,
    BlockSpec spec,
    Map<LinearRole, LearnedLinear> start,
    ScaleFormat format,
    List<PartKey> inputs,
    List<PartKey> targets,
    List<SamplePartition> samples,
    int window,
    int together)
    implements Serializable {}
