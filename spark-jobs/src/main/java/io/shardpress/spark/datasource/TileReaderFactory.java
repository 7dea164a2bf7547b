package io.shardpress.spark.datasource;

import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.vectorized.ColumnarBatch;
import org.apache.spark.util.SerializableConfiguration;

/** Crosses to the executors and makes their readers. */
record TileReaderFactory(List<String> columns, SerializableConfiguration configuration)
    implements PartitionReaderFactory {
  private static final long serialVersionUID = 1L;

  TileReaderFactory {
    columns = List.copyOf(columns);
  }

  @Override
  public boolean supportColumnarReads(InputPartition partition) {
    return true;
  }

  @Override
  public PartitionReader<InternalRow> createReader(InputPartition partition) {
    throw new UnsupportedOperationException("safetensors is read in columnar batches only");
  }

  @Override
  public PartitionReader<ColumnarBatch> createColumnarReader(InputPartition partition) {
    return new TileBatchReader((TilePartition) partition, columns, configuration.value());
  }
}
