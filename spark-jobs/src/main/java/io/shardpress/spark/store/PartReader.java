package io.shardpress.spark.store;

import io.shardpress.schemas.safetensors.Dtype;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.InvalidArrowFileException;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.util.ArrowUtils;

/** Reads a part, any row of it, checking what it reads. */
public final class PartReader implements AutoCloseable {
  private final Path path;
  private final BufferAllocator allocator;
  private final HadoopChannel channel;
  private final ArrowFileReader reader;
  private final List<ArrowBlock> blocks;

  PartReader(PartStore store, PartKey key) {
    path = store.path(key);
    allocator =
        ArrowUtils.rootAllocator().newChildAllocator("part " + key.hex(), 0, Long.MAX_VALUE);
    HadoopChannel opened = null;
    try {
      opened = HadoopChannel.open(path, store.fileSystem(path));
      channel = opened;
      reader = new ArrowFileReader(channel, allocator);
      blocks = reader.getRecordBlocks();
    } catch (IOException | InvalidArrowFileException e) {
      allocator.close();
      if (opened != null) {
        opened.close();
      }
      throw new PartException(path + ": no whole part: " + e.getMessage() + "; remove the file", e);
    }
  }

  /** Rows that it has. */
  public int rows() {
    return blocks.size();
  }

  /**
   * A row, by its place in the order of writing.
   *
   * @throws PartException where the row's checksum is not that of its data
   */
  public PartRow row(int index) {
    VectorSchemaRoot root = load(index);
    byte[] data = new byte[data(root).remaining()];
    data(root).get(data);
    List<Long> shape = new ArrayList<>();
    for (Object side : ((ListVector) root.getVector(PartSchema.SHAPE)).getObject(0)) {
      shape.add((Long) side);
    }
    return new PartRow(
        utf8(root, PartSchema.TENSOR),
        Dtype.of(utf8(root, PartSchema.DTYPE)),
        shape,
        ((BigIntVector) root.getVector(PartSchema.ROW_START)).get(0),
        ((IntVector) root.getVector(PartSchema.ROW_COUNT)).get(0),
        data);
  }

  /**
   * The f32 numbers of a row, without a copy in between.
   *
   * @param values receives them from {@code at} on
   * @return how many there are
   * @throws PartException where the row's checksum is not that of its data
   */
  public int floats(int index, float[] values, int at) {
    FloatBuffer numbers = data(load(index)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    int count = numbers.remaining();
    numbers.get(values, at, count);
    return count;
  }

  private VectorSchemaRoot load(int index) {
    try {
      reader.loadRecordBatch(blocks.get(index));
      VectorSchemaRoot root = reader.getVectorSchemaRoot();
      CRC32C crc = new CRC32C();
      crc.update(data(root));
      long wanted = ((BigIntVector) root.getVector(PartSchema.CRC32C)).get(0);
      if (crc.getValue() != wanted) {
        throw new PartException(
            "%s: row %d: found checksum %08x, wanted %08x; remove the file, it will be made again"
                .formatted(path, index, crc.getValue(), wanted),
            null);
      }
      return root;
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot read row " + index + ": " + e, e);
    }
  }

  /** The loaded row's bytes where they lie. */
  private static ByteBuffer data(VectorSchemaRoot root) {
    VarBinaryVector column = (VarBinaryVector) root.getVector(PartSchema.DATA);
    int start = column.getStartOffset(0);
    return column.getDataBuffer().nioBuffer(start, column.getEndOffset(0) - start);
  }

  /**
   * What the writer noted under that name.
   *
   * @throws PartException where it noted nothing
   */
  public String note(String name) {
    String value = reader.getMetaData().get(name);
    if (value == null) {
      throw new PartException(path + ": found no note " + name + "; remove the file", null);
    }
    return value;
  }

  private static String utf8(VectorSchemaRoot root, String column) {
    return new String(((VarCharVector) root.getVector(column)).get(0), StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot close: " + e.getMessage(), e);
    } finally {
      channel.close();
      allocator.close();
    }
  }
}
