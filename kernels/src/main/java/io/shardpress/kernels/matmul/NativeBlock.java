package io.shardpress.kernels.matmul;

import io.shardpress.kernels.parallel.Workers;
import org.bytedeco.javacpp.FloatPointer;

/** A block of a factor, copied off the heap, where any number of tiles can read it. */
final class NativeBlock {
  /** Floats copied by one piece of work: 1 MiB. */
  private static final int PIECE = 1 << 18;

  private final NativeBuffer buffer = new NativeBuffer();
  private boolean transposed;
  private int stride;

  /** Copies rows [row, row + rows) and columns [column, column + columns) of op(matrix). */
  void load(
      Matrix matrix,
      boolean transposed,
      int row,
      int rows,
      int column,
      int columns,
      Workers workers) {
    this.transposed = transposed;
    int lying = transposed ? columns : rows;
    int across = transposed ? rows : columns;
    // Rows a power of two apart would share few cache sets when the library packs across them.
    stride = (across + 15) / 16 * 16 + 16;
    buffer.reserve(Math.multiplyExact(lying, stride));
    int rowsPerPiece = Math.max(1, PIECE / stride);
    workers.forEach(
        (lying + rowsPerPiece - 1) / rowsPerPiece,
        piece -> {
          int first = piece * rowsPerPiece;
          int end = Math.min(lying, first + rowsPerPiece);
          buffer.load(
              matrix,
              transposed ? column : row,
              transposed ? row : column,
              across,
              first,
              end,
              stride);
        });
  }

  /** Elements between rows as they lie here. */
  int stride() {
    return stride;
  }

  /** The address of an entry of op(matrix), counted from the block's corner. */
  FloatPointer at(int row, int column) {
    return buffer.at(transposed ? column * stride + row : row * stride + column);
  }
}
