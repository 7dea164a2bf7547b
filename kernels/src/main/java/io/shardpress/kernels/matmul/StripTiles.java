package io.shardpress.kernels.matmul;

import io.shardpress.kernels.matmul.Matmul.Triangle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The tiles of one block of C: strips of columns, cut into pieces of rows. They follow from the
 * block's size alone, are even in number where there is enough to do, and the largest come first,
 * so that two threads end at about the same time.
 */
final class StripTiles {
  private static final int COLUMNS = 512;
  private static final int ROWS_OF_MANY_STRIPS = 2048;
  private static final int ROWS_OF_FEW_STRIPS = 512;

  /** A tile of C, in C's own rows and columns. */
  record Tile(int row, int rows, int column, int columns) {}

  private final List<Tile> tiles = new ArrayList<>();

  StripTiles(Product product, int row, int rows, int column, int columns) {
    int width = size(columns, COLUMNS);
    int strips = (columns + width - 1) / width;
    int height = size(rows, strips >= 4 ? ROWS_OF_MANY_STRIPS : ROWS_OF_FEW_STRIPS);
    for (int left = column; left < column + columns; left += width) {
      int right = Math.min(column + columns, left + width);
      int first = Math.max(row, product.firstRow(left));
      int end = Math.min(row + rows, product.endRow(right));
      for (int top = first; top < end; top += height) {
        tiles.add(new Tile(top, Math.min(end, top + height) - top, left, right - left));
      }
    }
    if (product.triangle() == Triangle.UPPER) {
      tiles.sort(Comparator.comparingInt(Tile::rows).reversed());
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

  // An even number of parts, each a multiple of a vector and at most the wanted size.
  private static int size(int extent, int wanted) {
    if (extent <= wanted) {
      return extent;
    }
    int parts = (extent + 2 * wanted - 1) / (2 * wanted) * 2;
    return ((extent + parts - 1) / parts + 15) / 16 * 16;
  }
}
