package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BackwardObserver;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartWriter;
import java.io.Serializable;

/**
 * What is observed on the way back through a block: at each site what its linears read and the
 * gradient of what they give. A record: names of parts hold its components.
 */
public interface GradientObserver extends Serializable {
  /** Begins with a partition. */
  Gathering begin(BlockShape shape, TaskEnvironment environment);

  /** What is gathered of one partition, a batch at a time, in order. */
  interface Gathering extends BackwardObserver {
    /** Writes what was gathered, as rows and notes of a part. */
    void write(PartWriter writer);
  }
}
