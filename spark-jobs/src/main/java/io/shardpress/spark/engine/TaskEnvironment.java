package io.shardpress.spark.engine;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.store.PartStore;
import org.apache.hadoop.conf.Configuration;

/** What a task has at hand on its executor; closed with it. */
public final class TaskEnvironment implements AutoCloseable {
  private final Configuration configuration;
  private final PartStore store;
  private final Matmul matmul;
  private final Workers workers;
  private final TensorReader reader;

  /**
   * @param configuration Hadoop's, as the driver has it; read only
   * @param threads that kernels may use
   * @throws UnsupportedOperationException where this machine has not the driver's matmul or loops
   */
  public TaskEnvironment(RunSettings settings, Configuration configuration, int threads) {
    this.configuration = configuration;
    store = new PartStore(settings.store(), configuration);
    matmul = Matmuls.named(settings.matmul());
    if (!Loops.chosen().name().equals(settings.loops())) {
      throw new UnsupportedOperationException(
          "loops "
              + settings.loops()
              + " are wanted, but this machine gives "
              + Loops.chosen().name()
              + "; use machines of one kind, or fix the narrower one everywhere with"
              + " -Dshardpress.vector.bits");
    }
    workers = Workers.of(threads);
    reader = new TensorReader(configuration);
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

  @Override
  public void close() {
    reader.close();
    workers.close();
  }
}
