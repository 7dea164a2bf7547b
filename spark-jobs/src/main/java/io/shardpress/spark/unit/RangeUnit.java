package io.shardpress.spark.unit;

import io.shardpress.kernels.nn.ActivationRanges;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Takes a sample partition through a quantized block and observes what its stages read, its keys
 * and its values. The activations themselves are not rounded on their way.
 *
 * @param ranges the part for what was observed
 * @param output the part for the block's output; null after the last block
 * @param input the block's input
 */
public record RangeUnit(
    PartKey ranges,
    PartKey output,
    ChainLink link,
    PartKey input,
    SamplePartition samples,
    int window)
    implements UnitOfWork {
  @Override
  public List<PartKey> parts() {
    return output == null ? List.of(ranges) : List.of(ranges, output);
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
    ActivationRanges observed = new ActivationRanges();
    float[] outputs = new float[output == null ? 0 : samples.count() * size];
    try (PartReader reader = environment.store().read(input)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        for (int i = 0; i < count; i++) {
          Activations.read(reader, 0, samples.count(), first + i, a.input(), i * size);
        }
        pass(block, weights, count * window, a, observed, environment);
        if (output != null) {
          System.arraycopy(a.output(), 0, outputs, first * size, count * size);
        }
      }
    }
    try (PartWriter writer = environment.store().write(ranges)) {
      RangePart.write(writer, observed);
      writer.commit();
    }
    if (output == null) {
      return;
    }
    try (PartWriter writer = environment.store().write(output)) {
      Activations.write(writer, "x", samples.count(), window, shape.hidden(), outputs);
      writer.commit();
    }
  }

  private void pass(
      DecoderBlock block,
      BlockWeights weights,
      int rows,
      BlockActivations a,
      ActivationRanges observed,
      TaskEnvironment environment) {
    block.begin(weights, rows, a, environment.workers());
    for (Stage stage : Stage.values()) {
      block.run(stage, weights, a, environment.workers());
      try {
        observed.observe(stage, block.shape(), a, environment.workers());
      } catch (ArithmeticException e) {
        throw new CheckpointException(
            link.spec().name() + ", stage " + stage + ": " + e.getMessage(), e);
      }
    }
  }
}
