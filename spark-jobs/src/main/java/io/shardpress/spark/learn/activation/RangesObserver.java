package io.shardpress.spark.learn.activation;

import io.shardpress.kernels.nn.ActivationRanges;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartWriter;
import io.shardpress.spark.sweep.Batch;
import io.shardpress.spark.sweep.Observation;
import io.shardpress.spark.sweep.Observer;
import io.shardpress.spark.sweep.SamplePartition;

/**
 * Notes the ranges of what a block's sites read, and of its keys and values. The activations
 * themselves are not rounded on their way.
 */
record RangesObserver() implements Observer {
  @Override
  public Observation begin(
      ChainLink link, SamplePartition samples, int window, TaskEnvironment environment) {
    return new Ranges(link.spec().name());
  }

  private static final class Ranges implements Observation {
    private final ActivationRanges observed = new ActivationRanges();
    private final String block;

    Ranges(String block) {
      this.block = block;
    }

    @Override
    public void site(Stage site, Batch batch) {
      try {
        observed.observe(site, batch.shape(), batch.activations(), batch.workers());
      } catch (ArithmeticException e) {
        throw new CheckpointException(block + ", stage " + site + ": " + e.getMessage(), e);
      }
    }

    @Override
    public void write(PartWriter writer) {
      RangePart.write(writer, observed);
    }
  }
}
