package io.shardpress.spark.unit;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
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
public record ForwardUnit(
    PartKey part,
    ChainLink link,
    PartKey input,
    PartKey reference,
    SamplePartition samples,
    int window)
    implements UnitOfWork {
  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights original = link.spec().load(environment.reader());
    BlockWeights weights = link.quantized(original, environment.store());
    int batch = Batches.windows(shape, window, samples.count());
    int size = window * shape.hidden();
    BlockActivations a = new BlockActivations(shape, weights.queryNorm() != null, batch * window);
    float[] output = new float[samples.count() * size];
    try (PartReader reader = environment.store().read(input)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        for (int i = 0; i < count; i++) {
          Activations.read(reader, 0, samples.count(), first + i, a.input(), i * size);
        }
        block.forward(weights, count * window, a, environment.workers());
        System.arraycopy(a.output(), 0, output, first * size, count * size);
      }
    }
    try (PartWriter writer = environment.store().write(part)) {
      Activations.write(writer, "x", samples.count(), window, shape.hidden(), output);
      if (reference != null) {
        float[] full = new float[output.length];
        Activations.readAll(environment.store(), reference, samples.count(), full);
        BlockError.of(full, output, output.length).write(writer);
      }
      writer.commit();
    }
  }
}
