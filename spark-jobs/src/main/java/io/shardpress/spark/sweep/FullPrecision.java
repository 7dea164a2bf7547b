package io.shardpress.spark.sweep;

import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the full-precision model makes of the calibration windows behind its last block. */
public final class FullPrecision {
  private final SweepContext context;
  private final Embeddings embeddings;
  private final boolean everywhere;
  private final boolean keepActivations;
  private final List<List<ForwardStep>> blocks = new ArrayList<>();

  /**
   * @param everywhere whether what each block gives is wanted, not the last one's alone
   * @param keepActivations whether blocks' inputs stay in the store for a later run
   */
  public FullPrecision(
      SweepContext context, Embeddings embeddings, boolean everywhere, boolean keepActivations) {
    this.context = context;
    this.everywhere = everywhere;
    this.keepActivations = keepActivations;
    this.embeddings = embeddings;
    List<PartKey> inputs = embeddings.parts();
    for (int block = 0; block < context.plan().config().layers(); block++) {
      ChainLink link = new ChainLink(context.block(block), Map.of());
      List<BlockOutput> outputs = context.outputs(link, inputs, Span.BLOCK, new Unobserved());
      blocks.add(outputs.stream().map(ForwardStep::new).toList());
      inputs = BlockOutput.parts(outputs);
    }
  }

  /** Of each block that is wanted a part for each sample partition, there or not. */
  public List<List<PartKey>> outputs() {
    List<List<PartKey>> all = new ArrayList<>();
    for (int block = everywhere ? 0 : blocks.size() - 1; block < blocks.size(); block++) {
      all.add(outputs(block));
    }
    return all;
  }

  private List<PartKey> outputs(int block) {
    return blocks.get(block).stream().map(ForwardStep::outputPart).toList();
  }

  /** Makes those that are not there, from the last block whose outputs are. */
  public StepRunner.Ran make() {
    PartStore store = context.runner().store();
    int first = blocks.size();
    while (first > 0 && !store.hasAll(outputs(first - 1))) {
      first--;
    }
    if (everywhere && first > 0 && !outputs().stream().allMatch(store::hasAll)) {
      first = 0;
    }
    if (first == 0) {
      embeddings.make();
    }
    StepRunner.Ran ran = StepRunner.Ran.NOTHING;
    for (int block = first; block < blocks.size(); block++) {
      ran = ran.plus(context.runner().run("targets", context.where(block), blocks.get(block)));
      if (block > 0 && !everywhere && !keepActivations) {
        outputs(block - 1).forEach(store::delete);
      }
    }
    return ran;
  }

  /** Forgets them; of those that are blocks' inputs only where these are not to stay. */
  public void forget() {
    int first = keepActivations ? blocks.size() - 1 : 0;
    for (int block = first; block < blocks.size(); block++) {
      outputs(block).forEach(context.runner().store()::delete);
    }
  }
}
