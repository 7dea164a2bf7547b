package io.shardpress.spark.io;

import io.shardpress.schemas.CheckpointException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;

/** One open file, read by ranges. */
final class RangedFile implements AutoCloseable {
  /** The most that is asked of a file system at once, in bytes. */
  static final int CHUNK_BYTES = 8 << 20;

  private final String uri;
  private final FSDataInputStream in;

  private RangedFile(String uri, FSDataInputStream in) {
    this.uri = uri;
    this.in = in;
  }

  static RangedFile open(String uri, Configuration configuration) {
    Path path = new Path(uri);
    try {
      return new RangedFile(uri, path.getFileSystem(configuration).open(path));
    } catch (FileNotFoundException e) {
      throw new CheckpointException(uri + ": no such file; it was there when the job began", e);
    } catch (IOException e) {
      throw new UncheckedIOException(uri + ": cannot open: " + e.getMessage(), e);
    }
  }

  String uri() {
    return uri;
  }

  /** Fills {@code count} bytes of {@code into} from {@code position} of the file on. */
  void read(long position, byte[] into, int offset, int count) {
    try {
      for (int done = 0; done < count; done += CHUNK_BYTES) {
        int chunk = Math.min(CHUNK_BYTES, count - done);
        in.readFully(position + done, into, offset + done, chunk);
      }
    } catch (EOFException e) {
      throw new CheckpointException(
          String.format(
              "%s: the file ends inside the %d bytes wanted at offset %d; it was truncated or"
                  + " replaced since its header was read",
              uri, count, position),
          e);
    } catch (IOException e) {
      throw new UncheckedIOException(
          uri + ": cannot read " + count + " bytes at " + position + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw new UncheckedIOException(uri + ": cannot close: " + e.getMessage(), e);
    }
  }
}
