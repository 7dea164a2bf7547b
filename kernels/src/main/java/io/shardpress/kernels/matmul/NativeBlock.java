package io.shardpress.kernels.matmul;

import org.bytedeco.javacpp.FloatPointer;

/** A block of a factor, copied off the heap, where any number of tiles can read it. */
final class NativeBlock {
  /** Floats copied by one piece of work: 1 MiB. */
  private static final int PIECE = 1 << 18;

  private final NativeBuffer buffer = new NativeBuffer();
  private Matrix matrix;
  private boolean transposed;
  private int firstRow;
  private int firstColumn;
  private int rows;
  private int columns;
  private int stride;

  /** Takes rows [row, row + rows) and columns [column, column + columns) of op(matrix). */
  void reserve(Matrix matrix, boolean transposed, int row, int rows, int column, int columns) {
    this.matrix = matrix;
    this.transposed = transposed;
    firstRow = transposed ? column : row;
    firstColumn = transposed ? row : column;
    this.rows = transposed ? columns : rows;
    this.columns = transposed ? rows : columns;
    // Rows a power of two apart would share few cache sets when the library packs across them.
    stride = (this.columns + 15) / 16 * 16 + 16;
    buffer.reserve(Math.multiplyExact(this.rows, stride));
  }

  /** Pieces of work that copying it takes. */
  int pieces() {
    return (rows + rowsOfPiece() - 1) / rowsOfPiece();
  }

  /** Copies one piece. */
  void load(int piece) {
    int first = piece * rowsOfPiece();
    int end = Math.min(rows, first + rowsOfPiece());
    buffer.load(matrix, firstRow, firstColumn, columns, first, end, stride);
  }

  /** Elements between rows as they lie here. */
  int stride() {
    return stride;
  }

  /** The address of an entry of op(matrix), counted from the block's corner. */
  FloatPointer at(int row, int column) {
    return buffer.at(transposed ? column * stride + row : row * stride + column);
  }

  /** Lets go of the matrix, which the block outlives. */
  void release() {
    matrix = null;
  }

  private int rowsOfPiece() {
    return Math.max(1, PIECE / stride);
  }
}
