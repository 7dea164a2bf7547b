package io.shardpress.spark.sweep;

import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Derivation;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.store.PartKey;
import java.util.List;

/**
 * What a block makes of a partition of windows: its part has a row for each window. Steps that come
 * to it in different ways make the same part.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param link the block; with nothing learned, in full precision
 * @param input the block's input
 * @param window tokens of a window
 * @param beside what is noted of the way in the same part
 */
public record BlockOutput(
    String arithmetic,
    ChainLink link,
    PartKey input,
    SamplePartition samples,
    int window,
    Span span,
    Observer beside)
    implements Derivation {
  private static final StepKind KIND = new StepKind("block.output", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  /** The names of several. */
  public static List<PartKey> parts(List<BlockOutput> outputs) {
    return outputs.stream().map(BlockOutput::part).toList();
  }

  /** The same with its error against another part's windows noted in it. */
  public BlockOutput against(PartKey reference) {
    return new BlockOutput(
        arithmetic, link, input, samples, window, span, new ErrorObserver(reference));
  }
}
