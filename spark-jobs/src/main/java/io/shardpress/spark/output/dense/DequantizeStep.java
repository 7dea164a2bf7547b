package io.shardpress.spark.output.dense;

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

/**
 * Writes some rows of a weight that is dequantized on read, as the dense model has them: a row
 * TENSOR of the part, in the tensor's dtype.
 */
public record DequantizeStep(TensorRef tensor, RowTile tile) implements Step {
  private static final StepKind KIND = new StepKind("dequantize", 1);

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
    byte[] bytes = environment.reader().readBytes(tensor, tile.start(), tile.count());
    try (PartWriter writer = environment.store().write(part())) {
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
