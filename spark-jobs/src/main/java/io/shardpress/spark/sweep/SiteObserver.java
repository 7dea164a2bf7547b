package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartWriter;
import java.io.Serializable;
import java.util.Collection;
import java.util.List;

/** What is observed of both chains at one site of a block. A record, see {@link Observer}. */
public interface SiteObserver extends Serializable {
  /** Begins with a partition. */
  Gathering begin(ChainLink link, Stage site, TaskEnvironment environment);

  /** Linears that it reads of the block, beside those that a pass to the site runs. */
  default Collection<LinearRole> linears(Stage site, BlockShape shape) {
    return List.of();
  }

  /** What is gathered of one partition. */
  interface Gathering {
    /**
     * Both chains have come to the site; what they hold may be overwritten.
     *
     * @param original the block's weights in full precision
     * @param rows tokens
     */
    void observe(
        BlockActivations full, BlockActivations quantized, BlockWeights original, int rows);

    /** Writes what was gathered, as rows and notes of a part. */
    void write(PartWriter writer);
  }
}
