package io.shardpress.spark.datasource;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.arrow.WeightTable;
import io.shardpress.schemas.model.TensorPlace;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;

/** Fills the columns of a batch, each from its tiles; only the column data reads the file. */
final class TileColumns {
  /** Data go through a heap buffer of this size into Arrow's memory. */
  private static final int CHUNK_BYTES = 8 << 20;

  private TileColumns() {}

  static void fill(FieldVector vector, List<Tile> tiles, TensorReader reader) {
    for (int row = 0; row < tiles.size(); row++) {
      Tile tile = tiles.get(row);
      TensorRef tensor = tile.tensor();
      switch (vector.getName()) {
        case WeightTable.TENSOR -> text(vector, row, tensor.tensor());
        case WeightTable.LAYER -> layer((IntVector) vector, row, tensor);
        case WeightTable.ROLE -> text(vector, row, TensorPlace.of(tensor.tensor()).role());
        case WeightTable.SHARD -> text(vector, row, tensor.shard());
        case WeightTable.DTYPE -> text(vector, row, tensor.dtype().name());
        case WeightTable.SHAPE -> shape((ListVector) vector, row, tensor.shape());
        case WeightTable.ROW_START -> ((BigIntVector) vector).setSafe(row, tile.rowStart());
        case WeightTable.ROW_COUNT -> ((IntVector) vector).setSafe(row, tile.rowCount());
        case WeightTable.DATA -> data((VarBinaryVector) vector, row, tiles, reader);
        default -> throw new IllegalArgumentException("no such column: " + vector.getName());
      }
    }
    vector.setValueCount(tiles.size());
  }

  private static void text(FieldVector vector, int row, String value) {
    ((VarCharVector) vector).setSafe(row, value.getBytes(StandardCharsets.UTF_8));
  }

  private static void layer(IntVector vector, int row, TensorRef tensor) {
    OptionalInt layer = TensorPlace.of(tensor.tensor()).layer();
    if (layer.isPresent()) {
      vector.setSafe(row, layer.getAsInt());
    } else {
      vector.setNull(row);
    }
  }

  private static void shape(ListVector vector, int row, List<Long> shape) {
    int at = vector.startNewValue(row);
    BigIntVector sides = (BigIntVector) vector.getDataVector();
    for (int i = 0; i < shape.size(); i++) {
      sides.setSafe(at + i, shape.get(i));
    }
    vector.endValue(row, shape.size());
  }

  private static void data(VarBinaryVector vector, int row, List<Tile> tiles, TensorReader reader) {
    if (row == 0) {
      vector.allocateNew(tiles.stream().mapToLong(Tile::bytes).sum(), tiles.size());
    }
    Tile tile = tiles.get(row);
    long bytes = tile.bytes();
    if (bytes > Integer.MAX_VALUE) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: a single row has %d bytes, more than a column of Spark can hold; leave"
                  + " the column data out",
              tile.tensor().file(),
              tile.tensor().tensor(),
              bytes));
    }
    vector.setIndexDefined(row);
    vector.setValueLengthSafe(row, (int) bytes);
    long start = vector.getStartOffset(row);
    if (tile.tensor().stored() != null) {
      byte[] rows = reader.readBytes(tile.tensor(), tile.rowStart(), tile.rowCount());
      vector.getDataBuffer().setBytes(start, rows);
      return;
    }
    byte[] chunk = new byte[(int) Math.min(bytes, CHUNK_BYTES)];
    for (long done = 0; done < bytes; done += chunk.length) {
      int now = (int) Math.min(chunk.length, bytes - done);
      reader.readBytes(tile.tensor(), tile.begin() + done, chunk, 0, now);
      vector.getDataBuffer().setBytes(start + done, chunk, 0, now);
    }
  }
}
