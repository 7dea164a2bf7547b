package io.shardpress.spark.datasource;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** A checkpoint as a table that can be read. */
final class SafetensorsTable implements SupportsRead {
  private final Map<String, String> properties;
  private final ReadOptions options;

  SafetensorsTable(Map<String, String> properties) {
    this.properties = Map.copyOf(properties);
    this.options = ReadOptions.of(properties);
  }

  @Override
  public String name() {
    return "safetensors " + options.path();
  }

  @Override
  public Column[] columns() {
    return Arrays.stream(WeightTableType.SCHEMA.fields())
        .map(field -> Column.create(field.name(), field.dataType(), field.nullable()))
        .toArray(Column[]::new);
  }

  @Override
  public Set<TableCapability> capabilities() {
    return Set.of(TableCapability.BATCH_READ);
  }

  /** Options of one query stand before the table's own. */
  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap query) {
    return new TileScanBuilder(ReadOptions.of(properties, query.asCaseSensitiveMap()));
  }
}
