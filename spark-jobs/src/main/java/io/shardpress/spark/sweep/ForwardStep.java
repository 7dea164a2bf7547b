package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Takes a sample partition through a whole block.
 *
 * @param part for the output
 * @param link the block; with nothing learned, in full precision
 * @param input the block's input
 * @param reference the full-precision output that the error is taken against, or null
 */
public record ForwardStep(
    PartKey part,
    ChainLink link,
    PartKey input,
    PartKey reference,
    SamplePartition samples,
    int window)
    implements Step {
  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights weights = link.load(environment.reader(), environment.store());
    int batch = Batches.windows(shape, window, samples.count());
    int size = window * shape.hidden();
    BlockActivations a = new BlockActivations(shape, batch * window);
    float[] full = reference == null ? null : new float[batch * size];
    BlockError error = BlockError.NONE;
    try (PartReader reader = environment.store().read(input);
        PartReader targets = reference == null ? null : environment.store().read(reference);
        PartWriter writer = environment.store().write(part)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        for (int i = 0; i < count; i++) {
          Activations.read(reader, first + i, a.input(), i * size);
        }
        block.forward(weights, count * window, a, environment.workers());
        Activations.write(
            writer, samples.count(), first, count, window, a.output(), shape.hidden());
        if (targets != null) {
          for (int i = 0; i < count; i++) {
            Activations.read(targets, first + i, full, i * size);
          }
          error = error.plus(BlockError.of(full, a.output(), count * size));
        }
      }
      if (targets != null) {
        error.write(writer);
      }
      writer.commit();
    }
  }
}
