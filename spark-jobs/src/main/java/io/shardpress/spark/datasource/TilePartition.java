package io.shardpress.spark.datasource;

import io.shardpress.spark.io.FileHosts;
import io.shardpress.spark.io.FileSlice;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.connector.read.InputPartition;

/**
 * Tiles that one task reads; where it reads their data, all of one shard.
 *
 * @param hosts that hold most of the data, where it reads them and the file system knows
 */
record TilePartition(List<Tile> tiles, List<String> hosts) implements InputPartition {
  private static final long serialVersionUID = 1L;

  /** Where data are read, a task takes about this many bytes. */
  private static final long TARGET_BYTES = 128L << 20;

  /** Where none are, a task takes this many rows. */
  private static final int MAX_TILES = 16_384;

  TilePartition {
    tiles = List.copyOf(tiles);
    hosts = List.copyOf(hosts);
  }

  @Override
  public String[] preferredLocations() {
    return hosts.toArray(new String[0]);
  }

  /** The same where it is best read. */
  TilePartition at(FileHosts files) {
    List<FileSlice> slices = new ArrayList<>();
    tiles.forEach(
        tile -> slices.addAll(FileSlice.ofRows(tile.tensor(), tile.rowStart(), tile.rowCount())));
    return new TilePartition(tiles, files.of(slices));
  }

  /** Cuts tiles, in their order, into the pieces that tasks take. */
  static List<TilePartition> of(List<Tile> tiles, boolean withData) {
    List<TilePartition> partitions = new ArrayList<>();
    List<Tile> current = new ArrayList<>();
    long bytes = 0;
    for (Tile tile : tiles) {
      long more = withData ? tile.bytes() : 0;
      boolean full = bytes + more > TARGET_BYTES || current.size() == MAX_TILES;
      boolean sameFile =
          current.isEmpty() || current.get(0).tensor().file().equals(tile.tensor().file());
      if (!current.isEmpty() && (full || (withData && !sameFile))) {
        partitions.add(new TilePartition(current, List.of()));
        current.clear();
        bytes = 0;
      }
      current.add(tile);
      bytes += more;
    }
    if (!current.isEmpty()) {
      partitions.add(new TilePartition(current, List.of()));
    }
    return partitions;
  }
}
