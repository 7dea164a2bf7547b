package io.shardpress.spark.sweep;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.text.Windows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The calibration windows in the store: a part with a row of token ids for each. */
public final class WindowsPart {
  private WindowsPart() {}

  /** Names the part with the windows. */
  public static PartKey key(Windows windows) {
    return PartKey.of("tokens")
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
          ByteBuffer bytes =
              ByteBuffer.allocate(4 * windows.length()).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asIntBuffer().put(windows.ids(i));
          writer.add(new PartRow("tokens", Dtype.I32, shape, i, 1, bytes.array()));
        }
        writer.commit();
      }
    }
  }
}
