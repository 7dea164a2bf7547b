package io.shardpress.spark.store;

import io.shardpress.spark.io.StorageFault;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.InvalidArrowFileException;
import org.apache.arrow.vector.ipc.message.ArrowBlock;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.util.ArrowUtils;

/**
 * An open part file: its footer, checked as it is opened, and its record batches, one to a row,
 * each loaded and checked when it is asked for.
 */
final class PartBatches implements AutoCloseable {
  private final PartStore store;
  private final PartKey key;
  private final Path path;
  private final BufferAllocator allocator;
  private final HadoopChannel channel;
  private final ArrowFileReader reader;
  private final List<ArrowBlock> blocks;

  /** Holds one batch at a time. */
  private final VectorSchemaRoot root;

  private final Map<String, String> notes;
  private final PartIndex index;
  private boolean broken;

  PartBatches(PartStore store, PartKey key) {
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
      root = reader.getVectorSchemaRoot();
      checkBlocks();
      notes = checkedNotes();
      index = takeIndex();
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

  /** Where the batches lie, before any of it is trusted. */
  private void checkBlocks() throws IOException {
    if (!root.getSchema().equals(PartSchema.of(key))) {
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
  }

  /** All notes, the index among them. */
  private Map<String, String> checkedNotes() {
    Map<String, String> all = new TreeMap<>(reader.getMetaData());
    String found = all.remove(PartSchema.NOTES_CRC32C);
    String wanted = PartChecksum.notes(all, blocks.size());
    if (!wanted.equals(found)) {
      throw new InvalidArrowFileException("found checksum " + found + ", wanted " + wanted);
    }
    return all;
  }

  private PartIndex takeIndex() {
    String text = notes.remove(PartSchema.INDEX);
    if (text == null) {
      throw new InvalidArrowFileException("found no index of its rows");
    }
    PartIndex found = PartIndex.parse(text);
    if (found.size() != blocks.size()) {
      throw new InvalidArrowFileException(
          "found " + blocks.size() + " rows, wanted " + found.size());
    }
    return found;
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

  PartKey key() {
    return key;
  }

  Path path() {
    return path;
  }

  PartIndex index() {
    return index;
  }

  /** What the writer noted. */
  Map<String, String> notes() {
    return notes;
  }

  /**
   * The batch of that place in the order of writing; valid until {@link #release}, or until the
   * next one is loaded.
   *
   * @throws PartException where it is not what was written
   */
  VectorSchemaRoot load(int place) {
    // Not within: Arrow keeps the buffer of a batch that breaks off.
    store.traffic().checkpoint();
    long found;
    long wanted;
    try {
      reader.loadRecordBatch(blocks.get(place));
      found = PartChecksum.row(root);
      wanted = ((BigIntVector) root.getVector(PartSchema.CRC32C)).get(0);
    } catch (UncheckedIOException e) {
      throw new UncheckedIOException(
          path + ": cannot read row " + place + ": " + e.getMessage(), e.getCause());
    } catch (IOException | RuntimeException e) {
      // A batch of which a bit has changed can say anything of where its columns lie.
      broken = true;
      throw new PartException(key, path + ": row " + place + ": not readable: " + e, e);
    }
    if (found != wanted) {
      throw new PartException(
          key,
          String.format(
              Locale.ROOT,
              "%s: row %d: found checksum %08x, wanted %08x",
              path,
              place,
              found,
              wanted),
          null);
    }
    // The footer's checksum does not cover where batches lie, so that it may lead to another one.
    PartIndex.Entry held = held();
    if (!held.equals(index.get(place))) {
      throw new PartException(
          key, path + ": row " + place + ": found " + held + ", wanted " + index.get(place), null);
    }
    return root;
  }

  /** Gives up the memory of the batch loaded last: readers may be open by the dozen. */
  void release() {
    root.clear();
  }

  private PartIndex.Entry held() {
    return new PartIndex.Entry(
        utf8(root, PartSchema.TENSOR),
        ((BigIntVector) root.getVector(PartSchema.ROW_START)).get(0),
        ((IntVector) root.getVector(PartSchema.ROW_COUNT)).get(0));
  }

  static String utf8(VectorSchemaRoot root, String column) {
    ByteBuffer text = PartChecksum.text((VarCharVector) root.getVector(column));
    return StandardCharsets.UTF_8.decode(text).toString();
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw StorageFault.of(path.toString(), "cannot close", e);
    } finally {
      channel.close();
      closeAllocator();
    }
  }

  private void closeAllocator() {
    try {
      allocator.close();
    } catch (IllegalStateException e) {
      // Arrow keeps the buffer of a batch that cannot be read; the exception to throw is the one
      // of that batch.
      if (!broken) {
        throw e;
      }
    }
  }
}
