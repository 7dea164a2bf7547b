package io.shardpress.spark.unit;

import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartRow;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes some rows of a weight that is dequantized on read, as the dense model has them: a row
 * TENSOR of the part, in the tensor's dtype.
 */
public record DequantizeUnit(PartKey part, TensorRef tensor, RowTile tile) implements UnitOfWork {
  // 16 Mi elements are 64 MiB of f32, and what they are read from.
  private static final int ELEMENTS = 1 << 24;

  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  /** The rows that a task takes, from the shape alone. */
  public static List<RowTile> tiles(TensorRef tensor) {
    long fitting = Math.max(1, ELEMENTS / Math.max(1, tensor.columns()));
    int rows = Math.toIntExact(tensor.rows());
    // Zero points are packed by 32 rows.
    int step = (int) (fitting >= 32 ? fitting / 32 * 32 : fitting);
    List<RowTile> tiles = new ArrayList<>();
    for (int start = 0; start < rows; start += step) {
      tiles.add(new RowTile(start, Math.min(step, rows - start)));
    }
    return tiles;
  }

  @Override
  public void run(TaskEnvironment environment) {
    byte[] bytes = environment.reader().readBytes(tensor, tile.start(), tile.count());
    try (PartWriter writer = environment.store().write(part)) {
      writer.add(
          new PartRow(
              tensor.tensor(), tensor.dtype(), tensor.shape(), tile.start(), tile.count(), bytes));
      writer.commit();
    }
  }

  /** The bytes of the part's rows. */
  public static byte[] read(PartStore store, PartKey part, String tensor) {
    try (PartReader reader = store.read(part)) {
      PartRow row = reader.row(0);
      if (!row.tensor().equals(tensor)) {
        throw new IllegalStateException(part.hex() + " holds " + row.tensor() + ", not " + tensor);
      }
      return row.data();
    }
  }
}
