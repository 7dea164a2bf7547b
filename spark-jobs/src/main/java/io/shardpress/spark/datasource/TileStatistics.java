package io.shardpress.spark.datasource;

import io.shardpress.schemas.arrow.WeightTable;
import io.shardpress.schemas.model.TensorPlace;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;
import org.apache.spark.sql.connector.read.Statistics;

/** How many tiles a query reads, and how many bytes their columns have. */
record TileStatistics(List<Tile> tiles, List<String> columns) implements Statistics {
  @Override
  public OptionalLong sizeInBytes() {
    long bytes = 0;
    for (Tile tile : tiles) {
      for (String column : columns) {
        bytes += bytes(tile, column);
      }
    }
    return OptionalLong.of(bytes);
  }

  @Override
  public OptionalLong numRows() {
    return OptionalLong.of(tiles.size());
  }

  private static long bytes(Tile tile, String column) {
    return switch (column) {
      case WeightTable.TENSOR -> utf8(tile.tensor().tensor());
      case WeightTable.ROLE -> utf8(TensorPlace.of(tile.tensor().tensor()).role());
      case WeightTable.SHARD -> utf8(tile.tensor().shard());
      case WeightTable.DTYPE -> utf8(tile.tensor().dtype().name());
      case WeightTable.SHAPE -> (long) Long.BYTES * tile.tensor().shape().size();
      case WeightTable.DATA -> tile.bytes();
      case WeightTable.ROW_START -> Long.BYTES;
      default -> Integer.BYTES;
    };
  }

  private static long utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
