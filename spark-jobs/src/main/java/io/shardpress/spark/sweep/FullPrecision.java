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
  private final List<List<ForwardStep>> blocks = new ArrayList<>();

  public FullPrecision(SweepContext context, Embeddings embeddings) {
    this.context = context;
    this.embeddings = embeddings;
    List<PartKey> inputs = embeddings.parts();
    for (int block = 0; block < context.plan().config().layers(); block++) {
      ChainLink link = new ChainLink(context.block(block), Map.of());
      List<BlockOutput> outputs = context.outputs(link, inputs, Span.BLOCK, new Unobserved());
      blocks.add(outputs.stream().map(ForwardStep::new).toList());
      inputs = BlockOutput.parts(outputs);
    }
  }

  /** A part for each sample partition, there or not. */
  public List<PartKey> outputs() {
    return outputs(blocks.size() - 1);
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
    if (first == 0) {
      embeddings.make();
    }
    StepRunner.Ran ran = StepRunner.Ran.NOTHING;
    for (int block = first; block < blocks.size(); block++) {
      ran = ran.plus(context.runner().run("targets", context.where(block), blocks.get(block)));
      if (block > 0) {
        outputs(block - 1).forEach(store::delete);
      }
    }
    return ran;
  }

  /** Forgets them. */
  public void forget() {
    outputs().forEach(context.runner().store()::delete);
  }
}
