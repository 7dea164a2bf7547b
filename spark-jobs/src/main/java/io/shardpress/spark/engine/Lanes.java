package io.shardpress.spark.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Independent pieces of a run side by side, each in a thread that submits its own Spark jobs: what
 * the tail of one job leaves idle, the other uses. The first failure ends all of them.
 */
final class Lanes {
  private static final String POOL = "spark.scheduler.pool";
  private static final int LOOK_AGAIN_MILLIS = 500;

  /** The first failure among the lanes that the thread belongs to. */
  private static final ThreadLocal<AtomicReference<Throwable>> FAILURE = new ThreadLocal<>();

  private final JavaSparkContext spark;
  private final String tag = "shardpress-" + UUID.randomUUID();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  private Lanes(JavaSparkContext spark) {
    this.spark = spark;
  }

  /**
   * Runs all of them, and returns when all have ended.
   *
   * @param spark null where nothing runs that is not there
   * @throws RuntimeException what the first that failed has thrown
   */
  static void run(JavaSparkContext spark, List<Runnable> lanes) {
    if (spark == null || lanes.size() <= 1) {
      lanes.forEach(Runnable::run);
      return;
    }
    new Lanes(spark).run(lanes);
  }

  /** Throws where another lane has failed: this one begins nothing more. */
  static void checkpoint() {
    AtomicReference<Throwable> failure = FAILURE.get();
    if (failure != null && failure.get() != null) {
      throw new IllegalStateException("another step has failed", failure.get());
    }
  }

  private void run(List<Runnable> lanes) {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < lanes.size(); i++) {
      Runnable lane = lanes.get(i);
      // A few names for all of an application: Spark keeps every pool.
      String pool = "shardpress " + (i + 1);
      Thread thread = new Thread(() -> run(lane, pool), pool);
      thread.setDaemon(true);
      threads.add(thread);
    }
    threads.forEach(Thread::start);
    boolean interrupted = false;
    for (Thread thread : threads) {
      interrupted |= await(thread);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure.get() != null) {
      Lanes.<RuntimeException>rethrow(failure.get());
    }
  }

  /** Throws what a lane has thrown as it is; of what Spark throws in Scala nothing is declared. */
  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void rethrow(Throwable thrown) throws E {
    throw (E) thrown;
  }

  /** A lane's thread has the caller's properties, its job group among them. */
  private void run(Runnable lane, String pool) {
    FAILURE.set(failure);
    try {
      spark.addJobTag(tag);
      boolean fair = spark.getConf().get("spark.scheduler.mode", "FIFO").equalsIgnoreCase("FAIR");
      if (fair && spark.getLocalProperty(POOL) == null) {
        spark.setLocalProperty(POOL, pool);
      }
      lane.run();
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
    } finally {
      FAILURE.remove();
    }
  }

  /**
   * Waits for a lane to end; once one has failed, cancels what jobs there are, those too that were
   * about to begin.
   *
   * @return whether this thread was interrupted meanwhile
   */
  private boolean await(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      if (failure.get() != null) {
        spark.cancelJobsWithTag(tag);
      }
      try {
        thread.join(LOOK_AGAIN_MILLIS);
      } catch (InterruptedException e) {
        interrupted = true;
        failure.compareAndSet(null, new IllegalStateException("interrupted", e));
      }
    }
    return interrupted;
  }
}
