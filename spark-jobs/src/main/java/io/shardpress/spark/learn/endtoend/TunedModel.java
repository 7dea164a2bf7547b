package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.block.ModelHead;
import io.shardpress.spark.engine.Derivation;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.sweep.Activations;
import io.shardpress.spark.sweep.SamplePartition;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A whole quantized model whose scales and norms are tuned.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param blocks with what was quantized of them
 * @param embedded the first block's inputs, by sample partition
 * @param candidates of each block's linears the integers that are learned; empty where none are
 * @param full the full-precision model's residual stream behind each block, or the last alone,
 *     likewise
 * @param hiddenStates weight in the loss of the residual streams' distance from those
 * @param window tokens of a window
 * @param format of the scales
 */
public record TunedModel(
    String arithmetic,
    List<ChainLink> blocks,
    List<Map<LinearRole, PartKey>> candidates,
    ModelHead head,
    List<PartKey> embedded,
    List<List<PartKey>> full,
    double hiddenStates,
    List<SamplePartition> samples,
    int window,
    ScaleFormat format)
    implements Derivation {
  private static final StepKind KIND = new StepKind("tuned.model", 1);

  public TunedModel {
    blocks = List.copyOf(blocks);
    embedded = List.copyOf(embedded);
    full = full.stream().map(List::copyOf).toList();
    candidates =
        candidates.stream()
            .map(each -> Collections.unmodifiableMap(new LinkedHashMap<>(each)))
            .toList();
    samples = List.copyOf(samples);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  /** Width of the residual stream. */
  int hidden() {
    return blocks.get(0).spec().shape().hidden();
  }

  /** Windows of the text. */
  int windows() {
    SamplePartition last = samples.get(samples.size() - 1);
    return last.first() + last.count();
  }

  /** What full precision gives behind the last block. */
  List<PartKey> last() {
    return full.get(full.size() - 1);
  }

  /** The part with a linear's learned integers; null where they stay. */
  PartKey candidates(int block, LinearRole role) {
    return candidates.isEmpty() ? null : candidates.get(block).get(role);
  }

  /** Reads some windows of what the partitions' parts hold, [windows·T × hidden]. */
  float[] read(TaskEnvironment environment, List<PartKey> parts, List<Integer> windows) {
    int size = window * hidden();
    float[] x = new float[Math.multiplyExact(windows.size(), size)];
    for (int i = 0; i < windows.size(); i++) {
      int number = windows.get(i);
      SamplePartition partition =
          samples.stream()
              .filter(one -> number < one.first() + one.count())
              .findFirst()
              .orElseThrow();
      try (PartReader reader = environment.store().read(parts.get(partition.index()))) {
        Activations.read(reader, number - partition.first(), x, i * size);
      }
    }
    return x;
  }
}
