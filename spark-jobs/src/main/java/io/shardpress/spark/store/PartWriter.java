package io.shardpress.spark.store;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.StorageFault;
import io.shardpress.spark.io.WholeFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.compression.CompressionUtil;
import org.apache.arrow.vector.compression.NoCompressionCodec;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.spark.sql.util.ArrowUtils;

/** Writes one part, row by row. Closed without {@link #commit}, it leaves nothing behind. */
public final class PartWriter implements AutoCloseable {
  private final WholeFile file;
  private final BufferAllocator allocator;
  private final VectorSchemaRoot root;
  private final ArrowFileWriter writer;
  private final Map<String, String> notes = new TreeMap<>();
  private final PartIndex index = new PartIndex();

  PartWriter(PartStore store, PartKey key) {
    file = store.create(store.path(key));
    allocator =
        ArrowUtils.rootAllocator().newChildAllocator("part " + key.hex(), 0, Long.MAX_VALUE);
    root = VectorSchemaRoot.create(PartSchema.of(key), allocator);
    try {
      writer =
          new ArrowFileWriter(
              root,
              null,
              new StreamChannel(file.out()),
              notes,
              IpcOption.DEFAULT,
              NoCompressionCodec.Factory.INSTANCE,
              CompressionUtil.CodecType.NO_COMPRESSION);
      writer.start();
    } catch (IOException e) {
      close();
      throw StorageFault.of(file.path().toString(), "cannot write", e);
    } catch (RuntimeException e) {
      // A task that is killed at its first bytes.
      close();
      throw e;
    }
  }

  /**
   * Adds a row, to be read by its tensor's name or by its place in the order of writing.
   *
   * @throws IllegalStateException where the part has a row of that tensor that begins as it does
   */
  public void add(PartRow row) {
    begin(row.tensor(), row.dtype(), row.shape(), row.rowStart(), row.rowCount());
    data(row.data().length).put(row.data());
    end();
  }

  /**
   * Adds a row of f32 numbers, without a copy in between.
   *
   * @param values whose elements from {@code at} on are written: rowCount rows of the shape
   */
  public void addFloats(
      String tensor, List<Long> shape, long rowStart, int rowCount, float[] values, int at) {
    int count = rowCount;
    for (long side : shape.subList(1, shape.size())) {
      count = Math.toIntExact(count * side);
    }
    int bytes = Math.multiplyExact(count, Float.BYTES);
    begin(tensor, Dtype.F32, shape, rowStart, rowCount);
    data(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values, at, count);
    end();
  }

  private void begin(String tensor, Dtype dtype, List<Long> sides, long rowStart, int rowCount) {
    index.add(tensor, rowStart, rowCount);
    root.clear();
    utf8(PartSchema.TENSOR, tensor);
    utf8(PartSchema.DTYPE, dtype.name());
    ListVector shape = (ListVector) root.getVector(PartSchema.SHAPE);
    BigIntVector elements = (BigIntVector) shape.getDataVector();
    shape.startNewValue(0);
    for (int i = 0; i < sides.size(); i++) {
      elements.setSafe(i, sides.get(i));
    }
    shape.endValue(0, sides.size());
    ((BigIntVector) root.getVector(PartSchema.ROW_START)).setSafe(0, rowStart);
    ((IntVector) root.getVector(PartSchema.ROW_COUNT)).setSafe(0, rowCount);
  }

  /** Room for the row's bytes. */
  private ByteBuffer data(int bytes) {
    VarBinaryVector data = (VarBinaryVector) root.getVector(PartSchema.DATA);
    data.allocateNew(bytes, 1);
    data.setIndexDefined(0);
    data.setValueLengthSafe(0, bytes);
    return data.getDataBuffer().nioBuffer(0, bytes);
  }

  private void end() {
    root.setRowCount(1);
    ((BigIntVector) root.getVector(PartSchema.CRC32C)).setSafe(0, PartChecksum.row(root));
    try {
      writer.writeBatch();
    } catch (IOException e) {
      throw StorageFault.of(file.path().toString(), "cannot write", e);
    }
  }

  private void utf8(String column, String value) {
    ((VarCharVector) root.getVector(column)).setSafe(0, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Adds a few words to the part's footer, which can be read without any row. */
  public void note(String name, String value) {
    notes.put(name, value);
  }

  /** Makes the part visible under its name. */
  public void commit() {
    try {
      notes.put(PartSchema.INDEX, index.text());
      notes.put(PartSchema.NOTES_CRC32C, PartChecksum.notes(notes, index.size()));
      writer.end();
      file.commit();
    } catch (IOException e) {
      throw StorageFault.of(file.path().toString(), "cannot write", e);
    }
  }

  @Override
  public void close() {
    root.close();
    allocator.close();
    file.close();
  }
}
