package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartStore;
import java.util.EnumMap;
import java.util.Map;

/** Open parts by site, closed together. */
record OpenParts(Map<Stage, PartReader> readers) implements AutoCloseable {
  static OpenParts of(Map<Stage, PartKey> keys, PartStore store) {
    Map<Stage, PartReader> readers = new EnumMap<>(Stage.class);
    keys.forEach((site, key) -> readers.put(site, store.read(key)));
    return new OpenParts(readers);
  }

  @Override
  public void close() {
    readers.values().forEach(PartReader::close);
  }
}
