package io.shardpress.kernels.learn;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How the rows of a stage's linears, stacked in their order, are cut into tiles that are coupled
 * each by itself.
 *
 * @param widths rows of each linear
 * @param tiles of each tile its rows in the stack, ascending; every row is in one tile
 */
public record RowTiling(int[] widths, int[][] tiles) implements Serializable {
  /** All rows in one tile. */
  public static RowTiling whole(int... widths) {
    return together(Integer.MAX_VALUE, widths);
  }

  /** Runs of at most {@code most} rows of one linear each, nearly equal in number. */
  public static RowTiling apart(int most, int... widths) {
    List<int[]> tiles = new ArrayList<>();
    int top = 0;
    for (int width : widths) {
      int parts = parts(width, most);
      for (int t = 0; t < parts; t++) {
        int from = share(width, t, parts);
        tiles.add(run(top + from, share(width, t + 1, parts) - from));
      }
      top += width;
    }
    return new RowTiling(widths.clone(), tiles.toArray(int[][]::new));
  }

  /**
   * Tiles of at most {@code most} rows, nearly equal in number, that have their share of every
   * linear, rows of about the same place together: of gate and up those with the same index.
   */
  public static RowTiling together(int most, int... widths) {
    List<Place> places = new ArrayList<>();
    for (int l = 0; l < widths.length; l++) {
      for (int row = 0; row < widths[l]; row++) {
        places.add(new Place((2L * row + 1) / (2.0 * widths[l]), places.size()));
      }
    }
    places.sort(Comparator.comparingDouble(Place::share).thenComparingInt(Place::row));
    int rows = places.size();
    int parts = parts(rows, most);
    int[][] tiles = new int[parts][];
    for (int t = 0; t < parts; t++) {
      tiles[t] =
          places.subList(share(rows, t, parts), share(rows, t + 1, parts)).stream()
              .mapToInt(Place::row)
              .sorted()
              .toArray();
    }
    return new RowTiling(widths.clone(), tiles);
  }

  /** A row of the stack, and how far down its linear it lies. */
  private record Place(double share, int row) {}

  private static int parts(int rows, int most) {
    return Math.max(1, (int) (((long) rows + most - 1) / most));
  }

  private static int share(int width, int part, int parts) {
    return (int) ((long) width * part / parts);
  }

  private static int[] run(int first, int count) {
    int[] rows = new int[count];
    for (int i = 0; i < count; i++) {
      rows[i] = first + i;
    }
    return rows;
  }

  /** Rows of all linears. */
  public int rows() {
    int rows = 0;
    for (int width : widths) {
      rows += width;
    }
    return rows;
  }

  /** The rows that a tile has of a linear, numbered inside of it, ascending; may be none. */
  public int[] rowsOf(int tile, int linear) {
    int top = 0;
    for (int l = 0; l < linear; l++) {
      top += widths[l];
    }
    List<Integer> rows = new ArrayList<>();
    for (int row : tiles[tile]) {
      if (row >= top && row < top + widths[linear]) {
        rows.add(row - top);
      }
    }
    return rows.stream().mapToInt(Integer::intValue).toArray();
  }
}
