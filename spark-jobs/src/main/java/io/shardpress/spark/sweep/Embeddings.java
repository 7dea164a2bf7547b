package io.shardpress.spark.sweep;

import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.spark.block.EmbeddingLookup;
import io.shardpress.spark.engine.Where;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.text.Windows;
import java.util.ArrayList;
import java.util.List;

/** The first block's inputs: looked up only where a step wants them, since most goes on behind. */
public final class Embeddings {
  private final SweepContext context;
  private final Windows windows;
  private final List<EmbedStep> units = new ArrayList<>();

  public Embeddings(SweepContext context, Windows windows) {
    this.context = context;
    this.windows = windows;
    TensorRef table =
        context
            .plan()
            .checkpoint()
            .find(DecoderNames.of(context.plan().checkpoint().shapes().keySet()).embed())
            .orElseThrow();
    float scale = EmbeddingLookup.scale(context.plan().config(), table);
    PartKey tokens = WindowsPart.key(windows);
    for (SamplePartition partition : context.samples()) {
      units.add(new EmbedStep(tokens, table, scale, partition, windows.length()));
    }
  }

  /** A part for each sample partition, there or not. */
  public List<PartKey> parts() {
    return units.stream().map(EmbedStep::part).toList();
  }

  /** Makes those that are not there. */
  public void make() {
    WindowsPart.store(windows, context.runner().store());
    context.runner().run("embeddings", Where.MODEL, units);
  }

  /** Forgets them. */
  public void forget() {
    parts().forEach(context.runner().store()::delete);
  }
}
