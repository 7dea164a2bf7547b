package io.shardpress.spark.sweep;

import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.text.Windows;
import java.util.List;

/** The calibration windows in the store: a part with a row of token ids for each. */
public final class WindowsPart {
  private static final String TOKENS = "tokens";

  private WindowsPart() {}

  /** Names the part with the windows. */
  public static PartKey key(Windows windows) {
    return PartKey.of(TOKENS)
        .add("fingerprint", windows.fingerprint())
        .add("windows", windows.count())
        .add("length", windows.length())
        .build();
  }

  /** Writes the windows as a part, a row each. */
  public static void store(Windows windows, PartStore store) {
    PartKey key = key(windows);
    if (!store.has(key)) {
      try (PartWriter writer = store.write(key)) {
        List<Long> shape = List.of((long) windows.count(), (long) windows.length());
        for (int i = 0; i < windows.count(); i++) {
          writer.add(PartRow.ofInts(TOKENS, shape, i, 1, windows.ids(i)));
        }
        writer.commit();
      }
    }
  }

  /** Reads a partition's token ids into {@code ids}, window after window. */
  static void read(PartReader reader, SamplePartition samples, int[] ids) {
    reader.ints(TOKENS, samples.first(), samples.count(), ids, 0);
  }
}
