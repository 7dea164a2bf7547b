package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Sums up a tile of a tensor: what outliers of the whole tensor are told by. The part has a row
 * "counts" (I64: of elements, zeros, NaNs, infinities) and a row "moments" (F64: least, greatest,
 * mean, sum of squared differences from it).
 */
public record SummaryStep(TensorRef tensor, RowTile tile) implements Step {
  private static final String COUNTS = "counts";
  private static final String MOMENTS = "moments";
  private static final StepKind KIND = new StepKind("summary", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.rows(tensor, tile.start(), tile.count());
  }

  @Override
  public void run(TaskEnvironment environment) {
    ValueSummary summary =
        ValueSummary.of(environment.reader().readFloats(tensor, tile.start(), tile.count()));
    try (PartWriter writer = environment.store().write(part())) {
      writer.add(
          PartRow.ofLongs(
              COUNTS, summary.count(), summary.zeros(), summary.nans(), summary.infinities()));
      writer.add(
          PartRow.ofDoubles(MOMENTS, summary.min(), summary.max(), summary.mean(), summary.m2()));
      writer.commit();
    }
  }

  /** Reads the summaries of some tiles, in their order. */
  static List<ValueSummary> read(PartStore store, List<PartKey> parts) {
    return store.readEach(parts, SummaryStep::read);
  }

  private static ValueSummary read(PartReader reader) {
    long[] counts = reader.row(COUNTS).longs();
    double[] moments = reader.row(MOMENTS).doubles();
    return new ValueSummary(
        counts[0],
        counts[1],
        counts[2],
        counts[3],
        (float) moments[0],
        (float) moments[1],
        moments[2],
        moments[3]);
  }
}
