package io.shardpress.spark.io;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** Local files at {@code counted:/path}. A process keeps one list of all opens and reads. */
public final class CountingFileSystem extends RawLocalFileSystem {
  private static final URI ROOT = URI.create("counted:///");
  private static final ConcurrentLinkedQueue<Read> READS = new ConcurrentLinkedQueue<>();

  /** The files that were opened, each as often as it was. */
  private static final ConcurrentLinkedQueue<String> OPENED = new ConcurrentLinkedQueue<>();

  /**
   * A read of bytes [position, position + count).
   *
   * @param file its local path
   */
  public record Read(String file, long position, int count) {
    /** How many of the bytes [begin, end) of the file were read. */
    long inside(long begin, long end) {
      return Math.max(0, Math.min(end, position + count) - Math.max(begin, position));
    }
  }

  /** The setting by which Hadoop finds it. */
  public static final String SETTING = "fs.counted.impl";

  /** A configuration that knows it. */
  public static Configuration configuration() {
    Configuration configuration = new Configuration(false);
    configuration.set(SETTING, CountingFileSystem.class.getName());
    return configuration;
  }

  /** A local file or folder as it names it. */
  public static String uri(Path local) {
    return "counted:" + local.toAbsolutePath();
  }

  /** Begins a new list. */
  public static void reset() {
    READS.clear();
    OPENED.clear();
  }

  /** The reads of a file since. */
  public static List<Read> reads(Path local) {
    List<Read> reads = new ArrayList<>(READS);
    reads.removeIf(read -> !read.file().equals(local.toAbsolutePath().toString()));
    return reads;
  }

  /** How often a file was opened since. */
  public static int opened(Path local) {
    return Collections.frequency(OPENED, local.toAbsolutePath().toString());
  }

  /** How many bytes of [begin, end) of a file were read since, each counted as often as it was. */
  public static long bytes(Path local, long begin, long end) {
    return reads(local).stream().mapToLong(read -> read.inside(begin, end)).sum();
  }

  @Override
  public URI getUri() {
    return ROOT;
  }

  @Override
  public String getScheme() {
    return ROOT.getScheme();
  }

  @Override
  public FSDataInputStream open(org.apache.hadoop.fs.Path path, int bufferSize) throws IOException {
    String file = pathToFile(path).getPath();
    OPENED.add(file);
    return new FSDataInputStream(new Counted(file));
  }

  /** Every read goes by a position, so that a stream has no buffer to read more into. */
  private static final class Counted extends FSInputStream {
    private final String file;
    private final FileChannel channel;
    private long position;

    Counted(String file) throws IOException {
      this.file = file;
      this.channel = new FileInputStream(file).getChannel();
    }

    @Override
    public int read(long from, byte[] into, int offset, int length) throws IOException {
      int count = channel.read(ByteBuffer.wrap(into, offset, length), from);
      if (count > 0) {
        READS.add(new Read(file, from, count));
      }
      return count;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = read(position, into, offset, length);
      position += Math.max(0, count);
      return count;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public void seek(long to) {
      position = to;
    }

    @Override
    public long getPos() {
      return position;
    }

    @Override
    public boolean seekToNewSource(long target) {
      return false;
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
