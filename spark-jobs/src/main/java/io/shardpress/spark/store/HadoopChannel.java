package io.shardpress.spark.store;

import io.shardpress.spark.io.FileSystems;
import io.shardpress.spark.io.Traffic;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * A Hadoop file as the channel that Arrow reads from. Where each read is a request, more is read
 * ahead the longer somebody reads on.
 */
final class HadoopChannel implements SeekableByteChannel {
  /** Small enough for a core's second cache, also with the JDK's copy of it. */
  private static final int LOCAL_BYTES = 128 << 10;

  private static final int FIRST_AHEAD_BYTES = 64 << 10;
  private static final int MOST_AHEAD_BYTES = 8 << 20;

  private final FSDataInputStream in;
  private final long size;
  private final boolean local;
  private final Traffic traffic;
  private long position;

  /** Bytes [chunkStart, chunkEnd) of the file. */
  private byte[] chunk = new byte[0];

  private long chunkStart;
  private long chunkEnd;
  private int ahead = FIRST_AHEAD_BYTES;
  private boolean open = true;

  private HadoopChannel(FSDataInputStream in, long size, boolean local, Traffic traffic) {
    this.in = in;
    this.size = size;
    this.local = local;
    this.traffic = traffic;
  }

  static HadoopChannel open(Path path, FileSystem fileSystem, Traffic traffic) throws IOException {
    try {
      FileStatus status = fileSystem.getFileStatus(path);
      FSDataInputStream in = FileSystems.openForRanges(fileSystem, path, status);
      boolean local = fileSystem instanceof RawLocalFileSystem;
      return new HadoopChannel(in, status.getLen(), local, traffic);
    } catch (FileNotFoundException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    if (position >= size || !into.hasRemaining()) {
      return into.hasRemaining() ? -1 : 0;
    }
    if (position < chunkStart || position >= chunkEnd) {
      fetch(into.remaining());
    }
    int count = (int) Math.min(into.remaining(), chunkEnd - position);
    into.put(chunk, (int) (position - chunkStart), count);
    position += count;
    return count;
  }

  /** Reads bytes from the position on, at least one. */
  private void fetch(int wanted) throws IOException {
    if (local) {
      fetch(position, Math.min(wanted, LOCAL_BYTES));
      return;
    }
    long tail = Math.max(0, size - FIRST_AHEAD_BYTES);
    if (position > tail && chunk.length == 0) {
      // A reader begins with the footer's length, at the very end, and the footer before it.
      fetch(tail, FIRST_AHEAD_BYTES);
      return;
    }
    ahead = position == chunkEnd ? Math.min(2 * ahead, MOST_AHEAD_BYTES) : FIRST_AHEAD_BYTES;
    fetch(position, Math.min(Math.max(wanted, ahead), MOST_AHEAD_BYTES));
  }

  private void fetch(long from, int most) throws IOException {
    int count = (int) Math.min(most, size - from);
    if (chunk.length < count) {
      chunk = new byte[count];
    }
    chunkEnd = 0; // nothing, should it fail
    try {
      in.readFully(from, chunk, 0, count);
    } catch (EOFException e) {
      throw e;
    } catch (IOException e) {
      // Arrow's own IOExceptions say that the bytes are wrong, this one that they are not to be
      // had.
      throw new UncheckedIOException(e);
    }
    chunkStart = from;
    chunkEnd = from + count;
    traffic.read(count);
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public SeekableByteChannel position(long newPosition) {
    position = newPosition;
    return this;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public int write(ByteBuffer from) {
    throw new NonWritableChannelException();
  }

  @Override
  public SeekableByteChannel truncate(long newSize) {
    throw new NonWritableChannelException();
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void close() {
    if (open) {
      open = false;
      try {
        in.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
