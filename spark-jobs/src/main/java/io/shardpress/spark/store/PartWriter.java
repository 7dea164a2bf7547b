package io.shardpress.spark.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.CRC32C;
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
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.util.ArrowUtils;

/** Writes one part, row by row. Closed without {@link #commit}, it leaves nothing behind. */
public final class PartWriter implements AutoCloseable {
  private final Path attempt;
  private final Path target;
  private final FileSystem fileSystem;
  private final FSDataOutputStream out;
  private final BufferAllocator allocator;
  private final VectorSchemaRoot root;
  private final ArrowFileWriter writer;
  private final Map<String, String> notes = new TreeMap<>();
  private boolean committed;

  PartWriter(PartStore store, PartKey key) {
    target = store.path(key);
    attempt = new Path(target.getParent(), "." + key.hex() + "." + UUID.randomUUID());
    fileSystem = store.fileSystem(target);
    allocator =
        ArrowUtils.rootAllocator().newChildAllocator("part " + key.hex(), 0, Long.MAX_VALUE);
    root = VectorSchemaRoot.create(PartSchema.of(key), allocator);
    try {
      out = fileSystem.create(attempt, true);
      writer =
          new ArrowFileWriter(
              root,
              null,
              new StreamChannel(out),
              notes,
              IpcOption.DEFAULT,
              NoCompressionCodec.Factory.INSTANCE,
              CompressionUtil.CodecType.NO_COMPRESSION);
      writer.start();
    } catch (IOException e) {
      root.close();
      allocator.close();
      throw new UncheckedIOException(attempt + ": cannot write: " + e.getMessage(), e);
    }
  }

  /** Adds a row; rows are read in the order of writing. */
  public void add(PartRow row) {
    CRC32C crc = new CRC32C();
    crc.update(row.data());
    root.clear();
    utf8(PartSchema.TENSOR, row.tensor());
    utf8(PartSchema.DTYPE, row.dtype().name());
    ListVector shape = (ListVector) root.getVector(PartSchema.SHAPE);
    BigIntVector sides = (BigIntVector) shape.getDataVector();
    shape.startNewValue(0);
    for (int i = 0; i < row.shape().size(); i++) {
      sides.setSafe(i, row.shape().get(i));
    }
    shape.endValue(0, row.shape().size());
    ((BigIntVector) root.getVector(PartSchema.ROW_START)).setSafe(0, row.rowStart());
    ((IntVector) root.getVector(PartSchema.ROW_COUNT)).setSafe(0, row.rowCount());
    ((BigIntVector) root.getVector(PartSchema.CRC32C)).setSafe(0, crc.getValue());
    VarBinaryVector data = (VarBinaryVector) root.getVector(PartSchema.DATA);
    data.allocateNew(row.data().length, 1);
    data.setSafe(0, row.data());
    root.setRowCount(1);
    try {
      writer.writeBatch();
    } catch (IOException e) {
      throw new UncheckedIOException(attempt + ": cannot write: " + e.getMessage(), e);
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
      writer.end();
      out.close();
      committed = fileSystem.rename(attempt, target) || fileSystem.exists(target);
      if (!committed) {
        throw new IOException("rename to " + target + " failed");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(attempt + ": cannot write: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    root.close();
    allocator.close();
    try {
      out.close();
      // Also after a lost race, where the twin's file stands and ours was not renamed.
      fileSystem.delete(attempt, false);
    } catch (IOException e) {
      if (committed) {
        throw new UncheckedIOException(attempt + ": cannot close: " + e.getMessage(), e);
      }
    }
  }
}
