package io.shardpress.spark.block;

import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows [start, start + count) of a linear: a unit of solving. Tiles follow from the shape alone.
 */
public record RowTile(int start, int count) implements Serializable {
  // 16 Mi elements are 64 MiB of f32; whole rows, and zero points pack by rows of 32.
  private static final int ELEMENTS = 1 << 24;
  private static final int ROW_MULTIPLE = 32;

  /** The tiles of a linear of [out×in]. */
  public static List<RowTile> of(int out, int in) {
    int rows = Math.max(ROW_MULTIPLE, ELEMENTS / in / ROW_MULTIPLE * ROW_MULTIPLE);
    List<RowTile> tiles = new ArrayList<>();
    for (int start = 0; start < out; start += rows) {
      tiles.add(new RowTile(start, Math.min(rows, out - start)));
    }
    return tiles;
  }

  /** The tiles that a tensor of any shape is read by, dequantized where it is stored as codes. */
  public static List<RowTile> of(TensorRef tensor) {
    long fitting = Math.max(1, ELEMENTS / Math.max(1, tensor.columns()));
    int rows = Math.toIntExact(tensor.rows());
    int step = (int) (fitting >= ROW_MULTIPLE ? fitting / ROW_MULTIPLE * ROW_MULTIPLE : fitting);
    List<RowTile> tiles = new ArrayList<>();
    for (int start = 0; start < rows; start += step) {
      tiles.add(new RowTile(start, Math.min(step, rows - start)));
    }
    return tiles;
  }
}
