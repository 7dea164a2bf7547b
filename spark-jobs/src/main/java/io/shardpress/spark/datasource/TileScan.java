package io.shardpress.spark.datasource;

import io.shardpress.schemas.arrow.WeightTable;
import io.shardpress.spark.io.FileHosts;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.connector.expressions.filter.Predicate;
import org.apache.spark.sql.connector.metric.CustomMetric;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.Statistics;
import org.apache.spark.sql.connector.read.SupportsReportStatistics;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** The tiles that a query reads, and the columns of them. */
final class TileScan implements Scan, Batch, SupportsReportStatistics {
  private final String path;
  private final StructType columns;
  private final List<Tile> tiles;
  private final List<Predicate> pushed;
  private final Configuration configuration;

  TileScan(
      String path,
      StructType columns,
      List<Tile> tiles,
      List<Predicate> pushed,
      Configuration configuration) {
    this.path = path;
    this.columns = columns;
    this.tiles = tiles;
    this.pushed = List.copyOf(pushed);
    this.configuration = configuration;
  }

  @Override
  public StructType readSchema() {
    return columns;
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT, "safetensors %s (%d tiles, filters %s)", path, tiles.size(), pushed);
  }

  @Override
  public Batch toBatch() {
    return this;
  }

  @Override
  public InputPartition[] planInputPartitions() {
    List<TilePartition> partitions = TilePartition.of(tiles, withData());
    if (withData()) {
      FileHosts files = new FileHosts(configuration);
      files.prepare(tiles.stream().map(tile -> tile.tensor().file()).toList());
      partitions = partitions.stream().map(partition -> partition.at(files)).toList();
    }
    return partitions.toArray(new InputPartition[0]);
  }

  private boolean withData() {
    return Arrays.asList(columns.fieldNames()).contains(WeightTable.DATA);
  }

  /** Rows and bytes as headers say, exactly, of the columns and tiles that are left. */
  @Override
  public Statistics estimateStatistics() {
    return new TileStatistics(tiles, List.of(columns.fieldNames()));
  }

  @Override
  public PartitionReaderFactory createReaderFactory() {
    return new TileReaderFactory(
        List.of(columns.fieldNames()), new SerializableConfiguration(configuration));
  }

  @Override
  public CustomMetric[] supportedCustomMetrics() {
    return new CustomMetric[] {new DataBytesRead()};
  }
}
