package io.shardpress.spark.sweep;

import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;

/**
 * Takes a block's error against what it should give.
 *
 * @param reference the part with its full-precision outputs
 */
record ErrorObserver(PartKey reference) implements Observer {
  @Override
  public Observation begin(
      ChainLink link, SamplePartition samples, int window, TaskEnvironment environment) {
    return new Errors(environment.store().read(reference), window * link.spec().shape().hidden());
  }

  private static final class Errors implements Observation {
    private final PartReader targets;
    private final int size;
    private BlockError error = BlockError.NONE;
    private float[] wanted = {};

    Errors(PartReader targets, int size) {
      this.targets = targets;
      this.size = size;
    }

    @Override
    public void end(Batch batch) {
      if (wanted.length < batch.count() * size) {
        wanted = new float[batch.count() * size];
      }
      for (int i = 0; i < batch.count(); i++) {
        Activations.read(targets, batch.first() + i, wanted, i * size);
      }
      error = error.plus(BlockError.of(wanted, batch.activations().output(), batch.count() * size));
    }

    @Override
    public void write(PartWriter writer) {
      error.write(writer);
    }

    @Override
    public void close() {
      targets.close();
    }
  }
}
