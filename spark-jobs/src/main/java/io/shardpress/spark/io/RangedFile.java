package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileRange;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.functional.FutureIO;

/** One open file, read by ranges. */
final class RangedFile implements AutoCloseable {
  /** The most that is asked of a file system at once, in bytes. */
  static final int CHUNK_BYTES = 8 << 20;

  /**
   * The most that is asked of a local file at once: the JDK copies through memory of its own, which
   * with what becomes of the bytes fits into a core's second cache.
   */
  private static final int LOCAL_CHUNK_BYTES = 128 << 10;

  private final String uri;
  private final FSDataInputStream in;
  private final int chunkBytes;
  private final boolean vectored;
  private final Traffic traffic;

  private RangedFile(
      String uri, FSDataInputStream in, int chunkBytes, boolean vectored, Traffic traffic) {
    this.uri = uri;
    this.in = in;
    this.chunkBytes = chunkBytes;
    this.vectored = vectored;
    this.traffic = traffic;
  }

  static RangedFile open(String uri, Configuration configuration) {
    return open(uri, configuration, Traffic.UNHEARD);
  }

  static RangedFile open(String uri, Configuration configuration, Traffic traffic) {
    Path path = new Path(uri);
    try {
      FileSystem fileSystem = FileSystems.forReading(path, configuration);
      FSDataInputStream in = FileSystems.openForRanges(fileSystem, path, null);
      boolean raw = fileSystem instanceof RawLocalFileSystem;
      // A local file answers at once; threads in between would only cost.
      boolean vectored = !raw && !(fileSystem instanceof LocalFileSystem);
      return new RangedFile(uri, in, raw ? LOCAL_CHUNK_BYTES : CHUNK_BYTES, vectored, traffic);
    } catch (FileNotFoundException e) {
      throw new CheckpointException(
          uri
              + (StorageFault.denied(e)
                  ? ": cannot read: " + StorageFault.reason(e)
                  : ": no such file; it was there when the job began"),
          e);
    } catch (IOException e) {
      throw StorageFault.of(uri, "cannot open", e);
    }
  }

  String uri() {
    return uri;
  }

  /** Fills {@code count} bytes of {@code into} from {@code position} of the file on. */
  void read(long position, byte[] into, int offset, int count) {
    try {
      for (int done = 0; done < count; done += chunkBytes) {
        int chunk = Math.min(chunkBytes, count - done);
        in.readFully(position + done, into, offset + done, chunk);
        traffic.read(chunk);
        traffic.checkpoint();
      }
    } catch (EOFException e) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: the file ends inside the %d bytes wanted at offset %d; it was truncated or"
                  + " replaced since its header was read",
              uri,
              count,
              position),
          e);
    } catch (IOException e) {
      throw new UncheckedIOException(
          uri + ": cannot read " + count + " bytes at " + position + ": " + e.getMessage(), e);
    }
  }

  /** How many bytes are best read, and used, at a time. */
  int chunkBytes() {
    return chunkBytes;
  }

  /** Whether {@link #read(List)} is worth its while. */
  boolean vectored() {
    return vectored;
  }

  /**
   * Bytes [position, position + length) of the file.
   *
   * @param length at most {@link #CHUNK_BYTES}
   */
  record Range(long position, int length) {}

  /**
   * The bytes of several ranges that do not overlap, in their order. S3A asks for them side by
   * side; others read one after the other.
   */
  List<byte[]> read(List<Range> ranges) {
    List<FileRange> wanted = new ArrayList<>();
    for (Range range : ranges) {
      wanted.add(FileRange.createFileRange(range.position(), range.length()));
    }
    try {
      in.readVectored(wanted, ByteBuffer::allocate);
    } catch (IOException e) {
      throw new UncheckedIOException(
          uri + ": cannot read " + ranges.size() + " ranges: " + e.getMessage(), e);
    }
    List<byte[]> all = new ArrayList<>();
    for (FileRange range : wanted) {
      all.add(bytes(range));
    }
    return all;
  }

  /** The bytes of several ranges one behind the other; {@code into} is as long as all of them. */
  void read(List<Range> ranges, byte[] into) {
    int at = 0;
    int batch = 1;
    for (int first = 0; first < ranges.size(); first += batch) {
      if (!vectored) {
        Range range = ranges.get(first);
        read(range.position(), into, at, range.length());
        at += range.length();
        continue;
      }
      batch = Math.max(1, CHUNK_BYTES / Math.max(1, ranges.get(first).length()));
      for (byte[] piece : read(ranges.subList(first, Math.min(first + batch, ranges.size())))) {
        System.arraycopy(piece, 0, into, at, piece.length);
        at += piece.length;
      }
    }
  }

  private byte[] bytes(FileRange range) {
    byte[] bytes = new byte[range.getLength()];
    try {
      FutureIO.awaitFuture(range.getData()).get(bytes);
      traffic.read(bytes.length);
      traffic.checkpoint();
    } catch (IOException e) {
      // Connections that break are tried again only by reads of one range.
      read(range.getOffset(), bytes, 0, bytes.length);
    }
    return bytes;
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw StorageFault.of(uri, "cannot close", e);
    }
  }
}
