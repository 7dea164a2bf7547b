package io.shardpress.spark.learn.activation;

import io.shardpress.kernels.nn.ActivationRanges;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.ActivationRange;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Observed ranges in the store: for each stage, then keys, then values a row NAME.ends (F32: least,
 * greatest) and a row NAME.counts (I64).
 */
final class RangePart {
  private RangePart() {}

  static void write(PartWriter writer, ActivationRanges ranges) {
    for (Named named : all(ranges)) {
      float[] ends = {named.range().least(), named.range().greatest()};
      writer.add(PartRow.ofFloats(named.name() + ".ends", List.of(2L), 0, 2, ends, 0));
      long[] counts = named.range().counts();
      ByteBuffer bytes = ByteBuffer.allocate(counts.length * 8).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asLongBuffer().put(counts);
      writer.add(
          new PartRow(
              named.name() + ".counts",
              Dtype.I64,
              List.of((long) counts.length),
              0,
              counts.length,
              bytes.array()));
    }
  }

  /** What several partitions observed, merged in their order. */
  public static ActivationRanges read(PartStore store, List<PartKey> parts) {
    ActivationRanges merged = new ActivationRanges();
    for (PartKey part : parts) {
      try (PartReader reader = store.read(part)) {
        int row = 0;
        for (Named named : all(merged)) {
          float[] ends = reader.row(row).floats();
          byte[] data = reader.row(row + 1).data();
          long[] counts = new long[data.length / Long.BYTES];
          ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(counts);
          named.range().merge(new ActivationRange(counts, ends[0], ends[1]));
          row += 2;
        }
      }
    }
    return merged;
  }

  private record Named(String name, ActivationRange range) {}

  private static List<Named> all(ActivationRanges ranges) {
    List<Named> all = new ArrayList<>();
    for (Stage stage : Stage.values()) {
      all.add(new Named(stage.name(), ranges.stage(stage)));
    }
    all.add(new Named("keys", ranges.keys()));
    all.add(new Named("values", ranges.values()));
    return all;
  }
}
