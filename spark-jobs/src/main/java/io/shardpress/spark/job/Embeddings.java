package io.shardpress.spark.job;

import io.shardpress.schemas.model.DecoderNames;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.text.Windows;
import io.shardpress.spark.unit.EmbedUnit;
import io.shardpress.spark.unit.EmbeddingLookup;
import io.shardpress.spark.unit.SamplePartition;
import java.util.ArrayList;
import java.util.List;

/** The first block's inputs: looked up only where a step wants them, since most goes on behind. */
final class Embeddings {
  private final ChainContext context;
  private final Windows windows;
  private final List<EmbedUnit> units = new ArrayList<>();

  Embeddings(ChainContext context, Windows windows) {
    this.context = context;
    this.windows = windows;
    TensorRef table =
        context
            .plan()
            .checkpoint()
            .find(DecoderNames.of(context.plan().checkpoint().shapes().keySet()).embed())
            .orElseThrow();
    float scale = EmbeddingLookup.scale(context.plan().config(), table);
    PartKey tokens = Calibration.key(windows);
    for (SamplePartition partition : context.samples()) {
      PartKey key =
          PartKey.of("embedded")
              .add("tokens", tokens)
              .add("table", context.digests().of(table))
              .add("scale", scale)
              .add("partition", partition)
              .build();
      units.add(new EmbedUnit(key, tokens, table, scale, partition, windows.length()));
    }
  }

  /** A part for each sample partition, there or not. */
  List<PartKey> parts() {
    return units.stream().map(EmbedUnit::part).toList();
  }

  /** Makes those that are not there. */
  void make() {
    Calibration.store(windows, context.runner().store());
    context.runner().run("embeddings", "", units);
  }

  /** Forgets them. */
  void forget() {
    parts().forEach(context.runner().store()::delete);
  }
}
