package io.shardpress.spark.datasource;

import org.apache.spark.sql.connector.metric.CustomSumMetric;

/**
 * Bytes of tensor data that a query's tasks read; headers, which the driver reads, do not count.
 */
public final class DataBytesRead extends CustomSumMetric {
  static final String NAME = "dataBytesRead";

  /** Spark makes one by reflection to add up what tasks report. */
  public DataBytesRead() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String description() {
    return "bytes of tensor data read";
  }
}
