package io.shardpress.spark.engine;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.Traffic;
import io.shardpress.spark.store.PartStore;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;

/** What a task has at hand on its executor; closed with it. */
public final class TaskEnvironment implements AutoCloseable {
  private final Configuration configuration;
  private final TaskMeter meter;
  private final PartStore store;
  private final Matmul matmul;
  private final Workers workers;
  private final TensorReader reader;
  private final Map<Class<?>, AutoCloseable> own = new HashMap<>();

  /**
   * For work that is no task of Spark's.
   *
   * @param configuration Hadoop's, as the driver has it; read only
   * @param threads that kernels may use
   * @throws UnsupportedOperationException where this machine has not the driver's matmul or loops
   */
  public TaskEnvironment(RunSettings settings, Configuration configuration, int threads) {
    this(settings, configuration, threads, TaskMeter.alone());
  }

  /** The same for a task, which {@code meter} hears of. */
  TaskEnvironment(RunSettings settings, Configuration configuration, int threads, TaskMeter meter) {
    this.configuration = configuration;
    this.meter = meter;
    store = new PartStore(settings.store(), configuration, meter);
    matmul = new MeteredMatmul(Matmuls.named(settings.matmul()), meter);
    if (!Loops.chosen().name().equals(settings.loops())) {
      throw new UnsupportedOperationException(
          "loops "
              + settings.loops()
              + " are wanted, but this machine gives "
              + Loops.chosen().name()
              + "; use machines of one kind, or fix the narrower one everywhere with"
              + " -Dshardpress.vector.bits");
    }
    workers = Workers.of(threads, meter::checkpoint);
    reader = new TensorReader(configuration, meter);
  }

  public Configuration configuration() {
    return configuration;
  }

  public PartStore store() {
    return store;
  }

  public Matmul matmul() {
    return matmul;
  }

  public Workers workers() {
    return workers;
  }

  public TensorReader reader() {
    return reader;
  }

  /** Hears of bytes that the task reads and writes past {@link #store} and {@link #reader}. */
  public Traffic traffic() {
    return meter;
  }

  /**
   * Ends the task where Spark wants it to: it was killed, or its twin has overtaken it. Workers,
   * reader and store ask by themselves; a loop that uses none of them for a second asks here.
   *
   * @throws org.apache.spark.TaskKilledException where the task is to end
   */
  public void checkpoint() {
    meter.checkpoint();
  }

  /**
   * What one piece of this task's work leaves for a later one: made when it is first asked for, and
   * closed with the task.
   */
  public <T extends AutoCloseable> T own(Class<T> kind, Supplier<T> make) {
    return kind.cast(own.computeIfAbsent(kind, none -> make.get()));
  }

  @Override
  public void close() {
    reader.close();
    workers.close();
    for (AutoCloseable one : own.values()) {
      try {
        one.close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot close what a task kept: " + e.getMessage(), e);
      }
    }
  }
}
