package io.shardpress.spark.io;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.fs.FSError;

/**
 * A stream into a file system. Where a disk is full, Hadoop's local one throws {@link FSError}, no
 * exception, so that nobody who names files in his messages would see it: here it is one, as on
 * other file systems.
 */
public final class DiskStream extends OutputStream {
  private final OutputStream out;
  private final Traffic traffic;

  public DiskStream(OutputStream out) {
    this(out, Traffic.UNHEARD);
  }

  DiskStream(OutputStream out, Traffic traffic) {
    this.out = out;
    this.traffic = traffic;
  }

  /** What a stream does. */
  private interface Action {
    void run() throws IOException;
  }

  private static void run(Action action) throws IOException {
    try {
      action.run();
    } catch (FSError e) {
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e);
    }
  }

  @Override
  public void write(int one) throws IOException {
    run(() -> out.write(one));
    traffic.written(1);
    traffic.checkpoint();
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    run(() -> out.write(bytes, from, count));
    traffic.written(count);
    traffic.checkpoint();
  }

  @Override
  public void flush() throws IOException {
    run(out::flush);
  }

  @Override
  public void close() throws IOException {
    run(out::close);
  }
}
