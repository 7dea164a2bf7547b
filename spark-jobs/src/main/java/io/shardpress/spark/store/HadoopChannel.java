package io.shardpress.spark.store;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A Hadoop file as the channel that Arrow reads from. */
final class HadoopChannel implements SeekableByteChannel {
  private static final int CHUNK_BYTES = 1 << 20;

  private final FSDataInputStream in;
  private final long size;
  private long position;
  private byte[] chunk = new byte[0];
  private boolean open = true;

  private HadoopChannel(FSDataInputStream in, long size) {
    this.in = in;
    this.size = size;
  }

  static HadoopChannel open(Path path, FileSystem fileSystem) throws IOException {
    try {
      long size = fileSystem.getFileStatus(path).getLen();
      return new HadoopChannel(fileSystem.open(path), size);
    } catch (FileNotFoundException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    int count = (int) Math.min(Math.min(into.remaining(), CHUNK_BYTES), size - position);
    if (count <= 0) {
      return into.hasRemaining() ? -1 : 0;
    }
    if (chunk.length < count) {
      chunk = new byte[count];
    }
    try {
      in.readFully(position, chunk, 0, count);
    } catch (EOFException e) {
      throw e;
    } catch (IOException e) {
      // Arrow's own IOExceptions say that the bytes are wrong, this one that they are not to be
      // had.
      throw new UncheckedIOException(e);
    }
    into.put(chunk, 0, count);
    position += count;
    return count;
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
