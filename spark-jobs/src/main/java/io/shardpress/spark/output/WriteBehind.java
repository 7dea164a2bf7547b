package io.shardpress.spark.output;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Hashes and writes on a thread of its own what the caller makes, in order and some buffers behind
 * it. A task with one thread does it all itself. What fails there is thrown by a later call.
 */
final class WriteBehind implements AutoCloseable {
  // Together they fit into a processor's last cache.
  private static final int BUFFERS = 8;
  private static final int BUFFER_BYTES = 256 << 10;

  private final ExecutorService thread;
  private final BlockingQueue<byte[]> free = new ArrayBlockingQueue<>(BUFFERS);
  private volatile Throwable failure;

  /**
   * @param threads of the task
   */
  WriteBehind(int threads) {
    if (threads == 1) {
      thread = null;
      return;
    }
    thread =
        Executors.newSingleThreadExecutor(
            body -> {
              Thread one = new Thread(body, "shardpress write-behind");
              one.setDaemon(true);
              return one;
            });
    for (int i = 0; i < BUFFERS; i++) {
      free.add(new byte[BUFFER_BYTES]);
    }
  }

  /** Something that comes after all that has been written. */
  interface Action {
    void run() throws IOException;
  }

  /** A stream whose bytes come to {@code target}, once it is flushed all of them. */
  OutputStream to(OutputStream target) {
    return thread == null ? target : new Buffers(target);
  }

  /** Runs after all that came before it; streams are to be flushed first. */
  void then(Action action) throws IOException {
    if (thread == null) {
      action.run();
      return;
    }
    check();
    thread.execute(() -> attempt(action));
  }

  /** Returns when all is done. */
  void finish() throws IOException {
    if (thread == null) {
      return;
    }
    Future<?> last = thread.submit(() -> {});
    try {
      last.get();
    } catch (InterruptedException e) {
      throw interrupted();
    } catch (java.util.concurrent.ExecutionException e) {
      throw new IllegalStateException("nothing was to be done", e);
    }
    check();
  }

  private void attempt(Action action) {
    if (failure != null) {
      return;
    }
    try {
      action.run();
    } catch (Throwable thrown) {
      failure = thrown;
    }
  }

  private void check() throws IOException {
    Throwable found = failure;
    if (found == null) {
      return;
    }
    if (found instanceof Error error) {
      throw error;
    }
    if (found instanceof RuntimeException exception) {
      throw exception;
    }
    throw new IOException(found.getMessage(), found);
  }

  private static IOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while writing");
  }

  @Override
  public void close() {
    if (thread == null) {
      return;
    }
    thread.shutdownNow();
    boolean interrupted = false;
    while (true) {
      try {
        // Nobody else may touch the file while it is still at it.
        if (thread.awaitTermination(1, TimeUnit.MINUTES)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Gathers small writes; hands full buffers over. */
  private final class Buffers extends OutputStream {
    private final OutputStream target;
    private byte[] buffer;
    private int filled;

    Buffers(OutputStream target) {
      this.target = target;
    }

    @Override
    public void write(int one) throws IOException {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      for (int done = 0; done < length; ) {
        if (buffer == null) {
          buffer = take();
        }
        int count = Math.min(length - done, buffer.length - filled);
        System.arraycopy(bytes, offset + done, buffer, filled, count);
        filled += count;
        done += count;
        if (filled == buffer.length) {
          flush();
        }
      }
    }

    private byte[] take() throws IOException {
      check();
      try {
        return free.take();
      } catch (InterruptedException e) {
        throw interrupted();
      }
    }

    @Override
    public void flush() throws IOException {
      if (buffer == null) {
        return;
      }
      byte[] full = buffer;
      int count = filled;
      buffer = null;
      filled = 0;
      check();
      thread.execute(
          () -> {
            attempt(() -> target.write(full, 0, count));
            free.add(full);
          });
    }
  }
}
