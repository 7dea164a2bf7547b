package io.shardpress.spark.evaluate;

import io.shardpress.spark.io.TensorReader;
import java.io.Serializable;

/** A linear's weight in a checkpoint, in whatever form it is stored. */
sealed interface WeightSource extends Serializable permits DenseWeight, IntWeight, PackedWeight {
  /** Tiles of rows begin at multiples of this: zero points of 32 rows fill whole words. */
  int ROW_MULTIPLE = 32;

  /** Rows. */
  int out();

  /** Columns. */
  int in();

  /**
   * Rows [rowStart, rowStart + rowCount) as f32, [rowCount × in].
   *
   * @param rowStart a multiple of {@link #ROW_MULTIPLE}
   * @throws io.shardpress.schemas.CheckpointException where a value is not finite, or what is
   *     stored is not what the header promises
   */
  float[] rows(TensorReader reader, int rowStart, int rowCount);

  /** The whole weight, [out × in]. */
  default float[] read(TensorReader reader) {
    return rows(reader, 0, out());
  }
}
