package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.store.PartWriter;

/** What an {@link Observer} gathers of one partition of windows, a batch at a time, in order. */
public interface Observation extends AutoCloseable {
  /** The linears of a site have run: what they read is there, and what they gave. */
  default void site(Stage site, Batch batch) {}

  /** A batch has come to the end of the pass. */
  default void end(Batch batch) {}

  /** Writes what was gathered, as rows and notes of a part. */
  void write(PartWriter writer);

  @Override
  default void close() {}
}
