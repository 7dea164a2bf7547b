package io.shardpress.spark.unit;

import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Activations of a sample partition in the store: a row of the part for each window and name, all
 * windows of the first name first, so that any window can be read alone.
 */
final class Activations {
  private Activations() {}

  /** Writes {@code windows} windows of [T × width] from {@code values}. */
  static void write(
      PartWriter writer, String name, int windows, int window, int width, float[] values) {
    List<Long> shape = List.of((long) windows, (long) window, (long) width);
    for (int i = 0; i < windows; i++) {
      writer.addFloats(name, shape, i, 1, values, i * window * width);
    }
  }

  /**
   * Reads a window of the {@code place}-th name into {@code values} from {@code at} on.
   *
   * @param windows of the partition
   */
  static void read(PartReader reader, int place, int windows, int window, float[] values, int at) {
    reader.floats(place * windows + window, values, at);
  }

  /** The first name of a whole partition, [windows·T × width]. */
  static void readAll(PartStore store, PartKey key, int windows, float[] values) {
    try (PartReader reader = store.read(key)) {
      int at = 0;
      for (int i = 0; i < windows; i++) {
        at += reader.floats(i, values, at);
      }
    }
  }
}
