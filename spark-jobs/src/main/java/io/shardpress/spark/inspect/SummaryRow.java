package io.shardpress.spark.inspect;

import io.shardpress.kernels.statistics.ValueSummary;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** A tile's summary as a row, to come back from tasks. */
final class SummaryRow {
  static final StructType TYPE =
      new StructType()
          .add("tensor", DataTypes.StringType, false)
          .add("row_start", DataTypes.LongType, false)
          .add("count", DataTypes.LongType, false)
          .add("zeros", DataTypes.LongType, false)
          .add("nans", DataTypes.LongType, false)
          .add("infinities", DataTypes.LongType, false)
          .add("min", DataTypes.FloatType, false)
          .add("max", DataTypes.FloatType, false)
          .add("mean", DataTypes.DoubleType, false)
          .add("m2", DataTypes.DoubleType, false);

  private SummaryRow() {}

  static Row of(String tensor, long rowStart, ValueSummary summary) {
    return RowFactory.create(
        tensor,
        rowStart,
        summary.count(),
        summary.zeros(),
        summary.nans(),
        summary.infinities(),
        summary.min(),
        summary.max(),
        summary.mean(),
        summary.m2());
  }

  static String tensor(Row row) {
    return row.getString(0);
  }

  static long rowStart(Row row) {
    return row.getLong(1);
  }

  static ValueSummary summary(Row row) {
    return new ValueSummary(
        row.getLong(2),
        row.getLong(3),
        row.getLong(4),
        row.getLong(5),
        row.getFloat(6),
        row.getFloat(7),
        row.getDouble(8),
        row.getDouble(9));
  }
}
