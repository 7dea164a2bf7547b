package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.Steps;
import io.shardpress.spark.block.WeightError;
import io.shardpress.spark.engine.TaskEnvironment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Steps and errors of the linears that a task has rounded. In a shard, scales lie behind all codes:
 * until then steps wait in a file of the executor's temporary folder, since those of a shard of 5
 * GB would take some hundred MB of memory.
 */
final class KeptSteps implements AutoCloseable {
  /** A scale as f32, a zero point as a byte. */
  private static final int GROUP_BYTES = 5;

  private static final int BUFFERED_GROUPS = 1 << 16;

  private final ByteBuffer buffer =
      ByteBuffer.allocate(BUFFERED_GROUPS * GROUP_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final Map<String, Long> begins = new HashMap<>();
  private final Map<String, WeightError> errors = new HashMap<>();
  private FileChannel file;
  private long written;

  /** The task's own. */
  static KeptSteps of(TaskEnvironment environment) {
    return environment.own(KeptSteps.class, KeptSteps::new);
  }

  /** Whether the steps of the linear's first rows have been added. */
  boolean has(String module) {
    return begins.containsKey(module);
  }

  /** Adds the steps of a linear's next rows; nothing of another linear may come between them. */
  void add(String module, Steps steps) {
    begins.putIfAbsent(module, written + buffer.position());
    for (int i = 0; i < steps.scales().length; i++) {
      if (!buffer.hasRemaining()) {
        flush();
      }
      buffer.putFloat(steps.scales()[i]).put((byte) steps.zeros()[i]);
    }
  }

  private void flush() {
    buffer.flip();
    try {
      if (file == null) {
        file = open();
      }
      while (buffer.hasRemaining()) {
        written += file.write(buffer, written);
      }
    } catch (IOException e) {
      throw failure("keep", e);
    }
    buffer.clear();
  }

  private static FileChannel open() throws IOException {
    Path path = Files.createTempFile("shardpress-", ".steps");
    FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
    // An open file needs no name, and without one it is gone with the process however that ends.
    Files.delete(path);
    return file;
  }

  private static UncheckedIOException failure(String what, IOException e) {
    return new UncheckedIOException(
        String.format(
            Locale.ROOT,
            "%s: cannot %s scales in the executor's temporary folder: %s",
            System.getProperty("java.io.tmpdir"),
            what,
            e.getMessage()),
        e);
  }

  /**
   * The steps of some rows of a linear.
   *
   * @param first the first of them
   * @param groups of a row
   */
  Steps read(String module, int first, int rows, int groups) {
    flush();
    Steps steps = new Steps(rows, groups);
    int count = steps.scales().length;
    long at = begins.get(module) + (long) first * groups * GROUP_BYTES;
    for (int done = 0; done < count; done += BUFFERED_GROUPS) {
      int some = Math.min(BUFFERED_GROUPS, count - done);
      fill(some, at + (long) done * GROUP_BYTES);
      for (int i = done; i < done + some; i++) {
        steps.scales()[i] = buffer.getFloat();
        steps.zeros()[i] = buffer.get() & 0xFF;
      }
      buffer.clear();
    }
    return steps;
  }

  /** Reads so many groups into the buffer. */
  private void fill(int groups, long position) {
    buffer.limit(groups * GROUP_BYTES);
    try {
      while (buffer.hasRemaining()) {
        if (file.read(buffer, position + buffer.position()) < 0) {
          throw new IllegalStateException("fewer steps have been added than are wanted");
        }
      }
    } catch (IOException e) {
      throw failure("read", e);
    }
    buffer.flip();
  }

  void error(String module, WeightError error) {
    errors.put(module, error);
  }

  Map<String, WeightError> errors() {
    return Map.copyOf(errors);
  }

  @Override
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
  }
}
