package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Sums up a tile of a tensor: what outliers of the whole tensor are told by. The part has a row
 * "summary" (I64) of the counts and the bits of the f64 numbers.
 */
public record SummaryStep(
    TensorRef tensor,
    RowTile tile)
    implements Step {
  private static final int FIELDS = 8;
  private static final StepKind KIND = new StepKind("summary", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public void run(TaskEnvironment environment) {
    ValueSummary summary =
        ValueSummary.of(environment.reader().readFloats(tensor, tile.start(), tile.count()));
    ByteBuffer row = ByteBuffer.allocate(FIELDS * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    row.putLong(summary.count()).putLong(summary.zeros());
    row.putLong(summary.nans()).putLong(summary.infinities());
    row.putDouble(summary.min()).putDouble(summary.max());
    row.putDouble(summary.mean()).putDouble(summary.m2());
    try (PartWriter writer = environment.store().write(part())) {
      writer.add(new PartRow("summary", Dtype.I64, List.of((long) FIELDS), 0, FIELDS, row.array()));
      writer.commit();
    }
  }

  static ValueSummary read(PartStore store, PartKey part) {
    try (PartReader reader = store.read(part)) {
      ByteBuffer row = ByteBuffer.wrap(reader.row(0).data()).order(ByteOrder.LITTLE_ENDIAN);
      return new ValueSummary(
          row.getLong(),
          row.getLong(),
          row.getLong(),
          row.getLong(),
          (float) row.getDouble(),
          (float) row.getDouble(),
          row.getDouble(),
          row.getDouble());
    }
  }
}
