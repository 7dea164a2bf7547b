package io.shardpress.kernels.parallel;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * The calling thread and {@code threads - 1} daemon threads take piece numbers from one counter
 * until none is left, so that a slow core gets fewer pieces.
 */
final class ThreadPool implements Workers {
  private static final AtomicInteger POOLS = new AtomicInteger();

  private final int threads;
  private final Runnable checkpoint;
  private final ExecutorService others;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final Queue<Thread> started = new ConcurrentLinkedQueue<>();

  ThreadPool(int threads, Runnable checkpoint) {
    this.threads = threads;
    this.checkpoint = checkpoint;
    String name = "kernels-" + POOLS.incrementAndGet() + "-";
    AtomicInteger number = new AtomicInteger();
    others =
        Executors.newFixedThreadPool(
            threads - 1,
            body -> {
              Thread thread = new Thread(body, name + number.incrementAndGet());
              thread.setDaemon(true);
              started.add(thread);
              return thread;
            });
  }

  @Override
  public int threads() {
    return threads;
  }

  @Override
  public void forEach(int pieces, IntConsumer body) {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException(
          "forEach called while another runs on these workers: nested pieces use Workers.single(),"
              + " and every concurrent caller has workers of its own");
    }
    try {
      Round round = new Round(pieces, checkpoint, body, Math.min(threads, pieces) - 1);
      round.runOn(others);
    } finally {
      busy.set(false);
    }
  }

  @Override
  public long cpuNanos() {
    ThreadMXBean threadTimes = ManagementFactory.getThreadMXBean();
    // Thread.threadId() is not in JDK 17.
    @SuppressWarnings("deprecation")
    long sum =
        started.stream().mapToLong(t -> Math.max(0, threadTimes.getThreadCpuTime(t.getId()))).sum();
    return sum;
  }

  @Override
  public void close() {
    others.shutdown();
  }
}
