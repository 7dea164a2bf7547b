package io.shardpress.spark.store;

import io.shardpress.schemas.safetensors.Dtype;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
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
  private final PartStore store;
  private final PartKey key;
  private final Path path;
  private final BufferAllocator allocator;
  private final HadoopChannel channel;
  private final ArrowFileReader reader;
  private final List<ArrowBlock> blocks;
  private boolean broken;

  PartReader(PartStore store, PartKey key) {
    this.store = store;
    this.key = key;
    path = store.path(key);
    allocator =
        ArrowUtils.rootAllocator().newChildAllocator("part " + key.hex(), 0, Long.MAX_VALUE);
    HadoopChannel opened = null;
    try {
      opened = HadoopChannel.open(path, store.fileSystem(path), store.traffic());
      channel = opened;
      reader = new ArrowFileReader(channel, allocator);
      blocks = reader.getRecordBlocks();
      check();
    } catch (FileNotFoundException e) {
      allocator.close();
      throw new PartException(key, path + ": found no such part", e);
    } catch (UncheckedIOException e) {
      closeAll(opened);
      throw new UncheckedIOException(path + ": cannot read: " + e.getMessage(), e.getCause());
    } catch (IOException | RuntimeException e) {
      // A footer of which a bit has changed can say anything.
      throw notWhole(opened, e);
    }
  }

  /** What the footer says, before any of it is trusted. */
  private void check() throws IOException {
    if (!reader.getVectorSchemaRoot().getSchema().equals(PartSchema.of(key))) {
      throw new InvalidArrowFileException("found columns of something else");
    }
    for (ArrowBlock block : blocks) {
      long end = block.getMetadataLength() + block.getBodyLength();
      if (block.getOffset() < 0
          || block.getMetadataLength() < 0
          || block.getBodyLength() < 0
          || end > channel.size() - block.getOffset()) {
        throw new InvalidArrowFileException("found a row beyond its end");
      }
    }
    Map<String, String> notes = new TreeMap<>(reader.getMetaData());
    String found = notes.remove(PartSchema.NOTES_CRC32C);
    String wanted = PartChecksum.notes(notes, blocks.size());
    if (!wanted.equals(found)) {
      throw new InvalidArrowFileException("found checksum " + found + ", wanted " + wanted);
    }
  }

  private PartException notWhole(HadoopChannel opened, Exception e) {
    closeAll(opened);
    String what = e instanceof InvalidArrowFileException ? e.getMessage() : e.toString();
    return new PartException(key, path + ": no whole part: " + what, e);
  }

  private void closeAll(HadoopChannel opened) {
    try {
      if (reader != null) {
        reader.close(false);
      }
      if (opened != null) {
        opened.close();
      }
      allocator.close();
    } catch (IOException | RuntimeException e) {
      // What it was opened for has failed already.
      return;
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
    ByteBuffer bytes = PartChecksum.data(root);
    byte[] data = new byte[bytes.remaining()];
    bytes.get(data);
    List<Long> shape = new ArrayList<>();
    // As the checksum reads it: whether the batch calls a value null is not under the checksum.
    ListVector sides = (ListVector) root.getVector(PartSchema.SHAPE);
    for (int i = sides.getElementStartIndex(0); i < sides.getElementEndIndex(0); i++) {
      shape.add(((BigIntVector) sides.getDataVector()).get(i));
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
    FloatBuffer numbers =
        PartChecksum.data(load(index)).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    int count = numbers.remaining();
    numbers.get(values, at, count);
    return count;
  }

  private VectorSchemaRoot load(int index) {
    // Not within: Arrow keeps the buffer of a batch that breaks off.
    store.traffic().checkpoint();
    long found;
    long wanted;
    VectorSchemaRoot root;
    try {
      reader.loadRecordBatch(blocks.get(index));
      root = reader.getVectorSchemaRoot();
      found = PartChecksum.row(root);
      wanted = ((BigIntVector) root.getVector(PartSchema.CRC32C)).get(0);
    } catch (UncheckedIOException e) {
      throw new UncheckedIOException(
          path + ": cannot read row " + index + ": " + e.getMessage(), e.getCause());
    } catch (IOException | RuntimeException e) {
      // A batch of which a bit has changed can say anything of where its columns lie.
      broken = true;
      throw new PartException(key, path + ": row " + index + ": not readable: " + e, e);
    }
    if (found != wanted) {
      throw new PartException(
          key,
          "%s: row %d: found checksum %08x, wanted %08x".formatted(path, index, found, wanted),
          null);
    }
    return root;
  }

  /**
   * What the writer noted under that name.
   *
   * @throws PartException where it noted nothing
   */
  public String note(String name) {
    String value = reader.getMetaData().get(name);
    if (value == null) {
      throw new PartException(key, path + ": found no note " + name, null);
    }
    return value;
  }

  private static String utf8(VectorSchemaRoot root, String column) {
    ByteBuffer text = PartChecksum.text((VarCharVector) root.getVector(column));
    return StandardCharsets.UTF_8.decode(text).toString();
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot close: " + e.getMessage(), e);
    } finally {
      channel.close();
      closeAllocator();
    }
  }

  private void closeAllocator() {
    try {
      allocator.close();
    } catch (IllegalStateException e) {
      // Of a batch that cannot be read Arrow keeps the buffer; what was read before it is to be
      // told.
      if (!broken) {
        throw e;
      }
    }
  }
}
