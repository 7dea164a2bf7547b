package io.shardpress.spark.learn.activation;

import io.shardpress.kernels.nn.ActivationRanges;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.quant.ActivationRange;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Observed ranges in the store: for each stage, then keys, then values a row NAME.ends (F32: least,
 * greatest) and a row NAME.counts (I64).
 */
final class RangePart {
  private static final String ENDS = ".ends";
  private static final String COUNTS = ".counts";

  private RangePart() {}

  static void write(PartWriter writer, ActivationRanges ranges) {
    for (Named named : all(ranges)) {
      ActivationRange range = named.range();
      writer.add(PartRow.ofFloats(named.name() + ENDS, range.least(), range.greatest()));
      writer.add(PartRow.ofLongs(named.name() + COUNTS, range.counts()));
    }
  }

  /** What several partitions observed, merged in their order. */
  public static ActivationRanges read(PartStore store, List<PartKey> parts) {
    ActivationRanges merged = new ActivationRanges();
    store.readEach(parts, RangePart::read).forEach(merged::merge);
    return merged;
  }

  private static ActivationRanges read(PartReader reader) {
    ActivationRanges ranges = new ActivationRanges();
    for (Named named : all(ranges)) {
      float[] ends = reader.row(named.name() + ENDS).floats();
      long[] counts = reader.row(named.name() + COUNTS).longs();
      named.range().merge(new ActivationRange(counts, ends[0], ends[1]));
    }
    return ranges;
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
