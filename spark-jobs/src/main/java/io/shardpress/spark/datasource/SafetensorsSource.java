package io.shardpress.spark.datasource;

import java.util.Map;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * {@code spark.read().format("safetensors").load(uri)}: the tiles of a checkpoint's tensors, with
 * the columns of {@link io.shardpress.schemas.arrow.WeightTable}. Options: {@code tileBytes} (16m),
 * {@code dequantize} (false: a quantized checkpoint's tensors as they lie in its files), and {@code
 * fs.*} for the file system. A query's own options stand before the table's.
 */
public final class SafetensorsSource implements TableProvider, DataSourceRegister {
  /** Spark makes one by reflection. */
  public SafetensorsSource() {}

  @Override
  public String shortName() {
    return "safetensors";
  }

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return WeightTableType.SCHEMA;
  }

  @Override
  public Table getTable(
      StructType schema, Transform[] partitioning, Map<String, String> properties) {
    return new SafetensorsTable(properties);
  }
}
