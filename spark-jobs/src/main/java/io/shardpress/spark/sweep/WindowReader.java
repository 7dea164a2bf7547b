package io.shardpress.spark.sweep;

import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import java.util.List;

/** Reads any window of all sample partitions; opens a partition's part once, and keeps it open. */
public final class WindowReader implements AutoCloseable {
  private final PartStore store;
  private final List<PartKey> parts;
  private final List<SamplePartition> samples;
  private final PartReader[] readers;

  /**
   * @param parts with {@link Activations} of one place, a part for each sample partition
   */
  public WindowReader(PartStore store, List<PartKey> parts, List<SamplePartition> samples) {
    this.store = store;
    this.parts = parts;
    this.samples = samples;
    this.readers = new PartReader[parts.size()];
  }

  /** Reads a window of the whole text into {@code into} from {@code at} on. */
  public void read(int window, float[] into, int at) {
    int partition = window / samples.get(0).count();
    if (readers[partition] == null) {
      readers[partition] = store.read(parts.get(partition));
    }
    int first = samples.get(partition).first();
    Activations.read(readers[partition], window - first, into, at);
  }

  @Override
  public void close() {
    for (PartReader reader : readers) {
      if (reader != null) {
        reader.close();
      }
    }
  }
}
