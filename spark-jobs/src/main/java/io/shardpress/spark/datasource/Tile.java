package io.shardpress.spark.datasource;

import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** Whole rows of one tensor: a row of the table. */
record Tile(TensorRef tensor, long rowStart, int rowCount) implements Serializable {
  /** Bytes of its data. */
  long bytes() {
    return tensor.bytesOfRows(rowStart + rowCount) - begin();
  }

  /** Its first byte, from the tensor's own. */
  long begin() {
    return tensor.bytesOfRows(rowStart);
  }

  /**
   * The tiles of a tensor, each of as many rows as {@code tileBytes} hold but at least one; a
   * tensor without rows is one tile without rows.
   */
  static List<Tile> of(TensorRef tensor, long tileBytes) {
    // Rows of 4- and 6-bit types may end inside a byte: cut only where they do not.
    long step = 1;
    while (step < tensor.rows() && tensor.columns() * step * tensor.dtype().bits() % 8 != 0) {
      step *= 2;
    }
    long stepBytes = Math.max(1, tensor.columns() * step * tensor.dtype().bits() / 8);
    long rows = Math.min(Integer.MAX_VALUE / step, Math.max(1, tileBytes / stepBytes)) * step;
    List<Tile> tiles = new ArrayList<>();
    long start = 0;
    do {
      int count = (int) Math.min(rows, tensor.rows() - start);
      tiles.add(new Tile(tensor, start, count));
      start += count;
    } while (start < tensor.rows());
    return tiles;
  }
}
