package io.shardpress.spark.learn.coupled;

import io.shardpress.kernels.learn.RowTiling;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.RowTile;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The rows of linears that read the same input, and which of them see one another: all of the site
 * where they are few, else tiles of one linear's rows. Follows from the shapes alone.
 *
 * @param site of the block
 * @param expert that the linears belong to, {@link LinearRole#NONE} for those of all tokens
 * @param roles the linears
 * @param outs rows of each
 * @param in width of the input
 */
public record SiteRows(Stage site, int expert, List<LinearRole> roles, List<Integer> outs, int in)
    implements Serializable {
  /** Rows of a site up to which all see one another: a matrix of 4 MiB. */
  static final int WHOLE = 1024;

  private static final int TILE = 256;
  // A sweep costs rows·in·(in + tile), so that a larger tile is nearly free where inputs are wide.
  private static final int WIDE = 4096;

  public SiteRows {
    roles = List.copyOf(roles);
    outs = List.copyOf(outs);
  }

  /** Those of a block's site, of an expert where there are some. */
  static SiteRows of(BlockShape shape, Stage site, int expert) {
    List<LinearRole> roles =
        (expert == LinearRole.NONE ? shape.linears(site) : LinearRole.ofExpert(expert))
            .stream().filter(role -> Stage.of(role) == site && role.expert() == expert).toList();
    List<Integer> outs = roles.stream().map(shape::out).toList();
    return new SiteRows(site, expert, roles, outs, shape.in(roles.get(0)));
  }

  /** All of a block: each site, of a mixture's sites each expert. */
  public static List<SiteRows> of(BlockShape shape) {
    List<SiteRows> all = new ArrayList<>();
    for (Stage site : Stage.values()) {
      boolean experts = shape.mixture() != null && (site == Stage.GATE_UP || site == Stage.DOWN);
      if (experts) {
        shape.mixture().numbers().forEach(expert -> all.add(of(shape, site, expert)));
      } else {
        all.add(of(shape, site, LinearRole.NONE));
      }
    }
    return all;
  }

  /** Whether all rows see one another. */
  boolean whole() {
    return outs.stream().mapToInt(Integer::intValue).sum() <= WHOLE;
  }

  /**
   * Rows that see one another, in order.
   *
   * @param linear number of the linear that they are of, -1 for all of them
   * @param start first row, in that linear or in the stack
   */
  public record Tile(int linear, int start, int count) {}

  /** The tiles; each lies in one {@link RowTile} of its linear, unless it is all of the site. */
  public List<Tile> tiles() {
    if (whole()) {
      return List.of(new Tile(-1, 0, outs.stream().mapToInt(Integer::intValue).sum()));
    }
    List<Tile> tiles = new ArrayList<>();
    int most = in >= WIDE ? 2 * TILE : TILE;
    for (int linear = 0; linear < outs.size(); linear++) {
      for (RowTile rows : RowTile.of(outs.get(linear), in)) {
        int parts = (rows.count() + most - 1) / most;
        for (int i = 0; i < parts; i++) {
          int from = rows.start() + (int) ((long) rows.count() * i / parts);
          int to = rows.start() + (int) ((long) rows.count() * (i + 1) / parts);
          tiles.add(new Tile(linear, from, to - from));
        }
      }
    }
    return tiles;
  }

  /** Tasks that descend on the site. */
  public int steps() {
    return whole() ? 1 : outs.stream().mapToInt(out -> RowTile.of(out, in).size()).sum();
  }

  /** The same for sums over them, rows numbered over the stack. */
  RowTiling tiling() {
    int[] widths = outs.stream().mapToInt(Integer::intValue).toArray();
    int[][] rows =
        tiles().stream()
            .map(tile -> run(top(tile.linear()) + tile.start(), tile.count()))
            .toArray(int[][]::new);
    return new RowTiling(widths, rows);
  }

  /** The first row of a linear in the stack. */
  int top(int linear) {
    return outs.stream().limit(Math.max(0, linear)).mapToInt(Integer::intValue).sum();
  }

  private static int[] run(int first, int count) {
    return IntStream.range(first, first + count).toArray();
  }

  /** The name of a tile's rows in a part, such as {@code gate_up 3 1}. */
  String name(int tile) {
    String at = expert == LinearRole.NONE ? "" : " " + expert;
    return site + at + " " + tile;
  }
}
