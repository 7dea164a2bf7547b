package io.shardpress.spark.inspect;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.schemas.arrow.WeightTable;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** The inspect command's work: choosing tensors needs headers alone, statistics read the data. */
public final class Inspection {
  private Inspection() {}

  /** The tensors whose names {@code wanted} takes, in the checkpoint's order. */
  public static List<TensorRef> select(Checkpoint checkpoint, Predicate<String> wanted) {
    return checkpoint.tensors().stream().filter(tensor -> wanted.test(tensor.tensor())).toList();
  }

  /**
   * Summaries of the F32, F16 and BF16 tensors among {@code tensors}, by name, in their order. A
   * tensor is summed up tile by tile and the tiles are merged in their order, so the figures do not
   * depend on the cluster.
   */
  public static Map<String, ValueSummary> statistics(
      SparkSession spark, Checkpoint checkpoint, List<TensorRef> tensors) {
    Object[] names =
        tensors.stream()
            .filter(tensor -> FloatBytes.handles(tensor.dtype()))
            .map(TensorRef::tensor)
            .toArray();
    Map<String, ValueSummary> summaries = new LinkedHashMap<>();
    if (names.length == 0) {
      return summaries;
    }
    Dataset<Row> table =
        spark
            .read()
            .format("safetensors")
            .option("dequantize", checkpoint.isDequantized())
            .load(checkpoint.uri());
    boolean all = names.length == checkpoint.tensors().size();
    Dataset<Row> chosen = all ? table : table.filter(table.col(WeightTable.TENSOR).isin(names));
    List<Row> tiles =
        new ArrayList<>(
            chosen
                .select(
                    functions.col(WeightTable.TENSOR),
                    functions.col(WeightTable.ROW_START),
                    functions.col(WeightTable.DTYPE),
                    functions.col(WeightTable.DATA))
                .mapPartitions(
                    (MapPartitionsFunction<Row, Row>) Inspection::summarize,
                    Encoders.row(SummaryRow.TYPE))
                .collectAsList());
    tiles.sort(Comparator.comparingLong(SummaryRow::rowStart));
    for (Object name : names) {
      summaries.put((String) name, ValueSummary.EMPTY);
    }
    for (Row tile : tiles) {
      summaries.merge(SummaryRow.tensor(tile), SummaryRow.summary(tile), ValueSummary::merge);
    }
    return summaries;
  }

  private static Iterator<Row> summarize(Iterator<Row> tiles) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return tiles.hasNext();
      }

      @Override
      public Row next() {
        Row tile = tiles.next();
        Dtype dtype = Dtype.of(tile.getString(2));
        byte[] bytes = (byte[]) tile.get(3);
        float[] values = new float[bytes.length / (dtype.bits() / 8)];
        FloatBytes.decode(dtype, bytes, 0, values, 0, values.length);
        return SummaryRow.of(tile.getString(0), tile.getLong(1), ValueSummary.of(values));
      }
    };
  }
}
