package io.shardpress.spark.datasource;

import io.shardpress.schemas.arrow.WeightTable;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.ArrowUtils;

/** The weight table's schema in Spark's types. */
final class WeightTableType {
  static final StructType SCHEMA = ArrowUtils.fromArrowSchema(WeightTable.schema());

  private WeightTableType() {}
}
