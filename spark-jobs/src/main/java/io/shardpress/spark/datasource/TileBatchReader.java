package io.shardpress.spark.datasource;

import io.shardpress.schemas.arrow.WeightTable;
import io.shardpress.spark.io.TensorReader;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.connector.metric.CustomTaskMetric;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.util.ArrowUtils;
import org.apache.spark.sql.vectorized.ArrowColumnVector;
import org.apache.spark.sql.vectorized.ColumnVector;
import org.apache.spark.sql.vectorized.ColumnarBatch;

/**
 * One task's tiles as Arrow batches; a batch is valid until the next. Its memory comes from an
 * allocator of its own, whose closing fails where a buffer was not given back.
 */
final class TileBatchReader implements PartitionReader<ColumnarBatch> {
  /** A batch with data ends before it holds more than this, unless one tile is more. */
  private static final long BATCH_BYTES = 64L << 20;

  private static final int BATCH_TILES_WITH_DATA = 8;
  private static final int BATCH_TILES = 4096;

  private final List<Tile> tiles;
  private final boolean withData;
  private final TensorReader reader;
  private final BufferAllocator allocator;
  private final VectorSchemaRoot root;
  private final ColumnarBatch batch;
  private int next;

  TileBatchReader(TilePartition partition, List<String> columns, Configuration configuration) {
    this.tiles = partition.tiles();
    this.withData = columns.contains(WeightTable.DATA);
    this.reader = new TensorReader(configuration);
    Schema whole = WeightTable.schema();
    Schema schema = new Schema(columns.stream().map(whole::findField).toList());
    this.allocator =
        ArrowUtils.rootAllocator().newChildAllocator("safetensors tiles", 0, Long.MAX_VALUE);
    this.root = VectorSchemaRoot.create(schema, allocator);
    this.batch =
        new ColumnarBatch(
            root.getFieldVectors().stream()
                .map(ArrowColumnVector::new)
                .toArray(ColumnVector[]::new));
  }

  @Override
  public boolean next() {
    if (next == tiles.size()) {
      return false;
    }
    root.clear();
    List<Tile> now = tiles.subList(next, next + batchSize());
    for (FieldVector vector : root.getFieldVectors()) {
      TileColumns.fill(vector, now, reader);
    }
    root.setRowCount(now.size());
    batch.setNumRows(now.size());
    next += now.size();
    return true;
  }

  @Override
  public ColumnarBatch get() {
    return batch;
  }

  @Override
  public CustomTaskMetric[] currentMetricsValues() {
    long bytes = reader.bytesRead();
    return new CustomTaskMetric[] {
      new CustomTaskMetric() {
        @Override
        public String name() {
          return DataBytesRead.NAME;
        }

        @Override
        public long value() {
          return bytes;
        }
      }
    };
  }

  @Override
  public void close() {
    reader.close();
    batch.close();
    root.close();
    allocator.close();
  }

  private int batchSize() {
    int left = tiles.size() - next;
    if (!withData) {
      return Math.min(left, BATCH_TILES);
    }
    long bytes = tiles.get(next).bytes();
    int size = 1;
    while (size < Math.min(left, BATCH_TILES_WITH_DATA)) {
      bytes += tiles.get(next + size).bytes();
      if (bytes > BATCH_BYTES) {
        break;
      }
      size++;
    }
    return size;
  }
}
