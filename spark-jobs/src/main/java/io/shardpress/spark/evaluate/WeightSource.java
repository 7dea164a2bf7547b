package io.shardpress.spark.evaluate;

import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;

/**
 * A linear's weight in a checkpoint, in whatever form it is stored.
 *
 * @param tensor [out × in]
 */
record WeightSource(TensorRef tensor) implements Serializable {
  /** Tiles of rows begin at multiples of this: zero points of 32 rows fill whole words. */
  static final int ROW_MULTIPLE = 32;

  /** Rows. */
  int out() {
    return Math.toIntExact(tensor.rows());
  }

  /** Columns. */
  int in() {
    return Math.toIntExact(tensor.columns());
  }

  /**
   * Rows [rowStart, rowStart + rowCount) as f32, [rowCount × in].
   *
   * @throws io.shardpress.schemas.CheckpointException where a value is not finite, or what is
   *     stored is not what the header promises
   */
  float[] rows(TensorReader reader, int rowStart, int rowCount) {
    float[] values = reader.readFloats(tensor, rowStart, rowCount);
    TensorReader.requireFinite(tensor, rowStart, values);
    return values;
  }

  /** The whole weight, [out × in]. */
  float[] read(TensorReader reader) {
    return rows(reader, 0, out());
  }
}
