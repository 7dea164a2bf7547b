package io.shardpress.kernels.parallel;

import java.util.function.IntConsumer;

/**
 * A fixed number of threads that run numbered pieces of work. What a piece computes depends on its
 * number alone, so results are the same for any number of threads.
 */
public interface Workers extends AutoCloseable {
  /** Threads that run at once, at least 1. */
  int threads();

  /**
   * Runs {@code body} for every number in [0, pieces) and returns when all are done. The first
   * failure is thrown after the others have ended. Not reentrant: a piece must not call it again.
   */
  void forEach(int pieces, IntConsumer body);

  /** CPU time that its own threads have used, the calling thread's not among it, in ns. */
  long cpuNanos();

  @Override
  void close();

  /**
   * The calling thread and {@code threads - 1} daemon threads. One forEach at a time: concurrent
   * callers have workers of their own.
   *
   * @throws IllegalArgumentException where threads is not positive
   */
  static Workers of(int threads) {
    return of(threads, () -> {});
  }

  /**
   * The same for work that may have to end early.
   *
   * @param checkpoint asked before every piece, by the thread that takes it; what it throws ends
   *     the forEach as a failing piece does
   */
  static Workers of(int threads, Runnable checkpoint) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + ", must be at least 1");
    }
    return threads == 1 ? new CallingThread(checkpoint) : new ThreadPool(threads, checkpoint);
  }

  /** The calling thread alone, which asks no checkpoint. */
  static Workers single() {
    return CallingThread.UNASKED;
  }
}
