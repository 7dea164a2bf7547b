package io.shardpress.kernels.matmul;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The tiles of one block of C, without those of which nothing is wanted. They follow from the
 * block's size alone, are even in number along each side that is cut, and the largest come first,
 * so that two threads end at about the same time.
 */
final class TileGrid {
  /** A tile of C, in C's own rows and columns. */
  record Tile(int row, int rows, int column, int columns) {
    /** Whether it is a square on the diagonal of C. */
    boolean isDiagonal() {
      return row == column && rows == columns;
    }

    private int work() {
      return isDiagonal() ? rows * columns / 2 : rows * columns;
    }
  }

  private final List<Tile> tiles = new ArrayList<>();

  /**
   * @param unit tiles start at multiples of that many rows from the block's first
   * @param mostRows of a tile, a multiple of the unit
   * @param mostColumns of a tile, a multiple of 32
   */
  TileGrid(
      Product product,
      int row,
      int rows,
      int column,
      int columns,
      int unit,
      int mostRows,
      int mostColumns) {
    int width = size(columns, mostColumns, 32);
    int height = size(rows, mostRows, unit);
    for (int left = column; left < column + columns; left += width) {
      int right = Math.min(column + columns, left + width);
      int first = Math.max(row, product.firstRow(left));
      int end = Math.min(row + rows, product.endRow(right));
      int start = row + (first - row) / unit * unit;
      for (int top = start; top < end; top += height) {
        tiles.add(new Tile(top, Math.min(end, top + height) - top, left, right - left));
      }
    }
    if (product.triangle() != null) {
      tiles.sort(Comparator.comparingInt(Tile::work).reversed());
    }
  }

  boolean isEmpty() {
    return tiles.isEmpty();
  }

  int size() {
    return tiles.size();
  }

  Tile at(int index) {
    return tiles.get(index);
  }

  /**
   * The size of even parts: an even number of them, each a multiple of the unit and at most the
   * wanted size. What needs no parts is one.
   */
  static int size(int extent, int most, int unit) {
    if (extent <= most) {
      return Math.max(extent, 1);
    }
    int parts = (extent + 2 * most - 1) / (2 * most) * 2;
    return Math.min(most, ((extent + parts - 1) / parts + unit - 1) / unit * unit);
  }
}
