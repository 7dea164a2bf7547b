package io.shardpress.spark.learn;

import io.shardpress.spark.engine.StepGroup;
import io.shardpress.spark.learn.blockwise.BlockwiseStep;
import io.shardpress.spark.learn.gptq.GptqSolver;
import io.shardpress.spark.learn.scales.ScaleSteps;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.sweep.BlockOutput;
import io.shardpress.spark.sweep.BlockState;
import java.util.List;
import java.util.stream.Stream;

/**
 * What learning a block consists of. All parts have their names, whether they are there or not.
 *
 * @param block with what it will have learned
 * @param solver null where GPTQ has no part in it
 * @param stages GPTQ's units; of a block with a mixture of experts all that it learns by
 * @param unit of a block-wise learner of a whole block, which comes last; null where there is none
 * @param steps on the scales of what GPTQ has solved, which come last; null where there are none
 * @param nextFull the block's outputs in the full-precision chain, by sample partition
 * @param nextQuantized its outputs in the quantized chain, or where blocks learn side by side, its
 *     own quantized outputs on full-precision inputs
 */
public record BlockTurn(
    BlockState block,
    GptqSolver solver,
    List<StepGroup> stages,
    BlockwiseStep unit,
    ScaleSteps steps,
    List<BlockOutput> nextFull,
    List<BlockOutput> nextQuantized) {
  /** Whether an earlier run left what this block is to learn. */
  public boolean known(PartStore store) {
    return store.hasAll(parts().toList());
  }

  /** The parts with what the block learns. */
  Stream<PartKey> parts() {
    return block.learned.values().stream().flatMap(linear -> linear.tiles().stream()).distinct();
  }

  /** Whether the block's inputs are there. */
  boolean ready(PartStore store) {
    return store.hasAll(block.full) && store.hasAll(block.quantized);
  }

  /** Forgets what nobody needs once the block's outputs are there. */
  void forget(PartStore store, boolean keepInputs) {
    block.passing.forEach(store::delete);
    if (!keepInputs) {
      block.full.forEach(store::delete);
      block.quantized.forEach(store::delete);
    }
  }
}
