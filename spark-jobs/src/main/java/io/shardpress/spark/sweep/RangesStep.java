package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.ActivationRanges;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.TaskEnvironment;
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
public record RangesStep(
    PartKey ranges,
    PartKey output,
    ChainLink link,
    PartKey input,
    SamplePartition samples,
    int window)
    implements Step {
  @Override
  public List<PartKey> parts() {
    return output == null ? List.of(ranges) : List.of(ranges, output);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights weights = link.load(environment.reader(), environment.store());
    int batch = Batches.windows(shape, window, samples.count());
    int size = window * shape.hidden();
    BlockActivations a = new BlockActivations(shape, batch * window);
    ActivationRanges observed = new ActivationRanges();
    try (PartReader reader = environment.store().read(input);
        PartWriter writer = output == null ? null : environment.store().write(output)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        for (int i = 0; i < count; i++) {
          Activations.read(reader, first + i, a.input(), i * size);
        }
        pass(block, weights, count * window, a, observed, environment);
        if (writer != null) {
          Activations.write(
              writer, samples.count(), first, count, window, a.output(), shape.hidden());
        }
      }
      if (writer != null) {
        writer.commit();
      }
    }
    try (PartWriter writer = environment.store().write(ranges)) {
      RangePart.write(writer, observed);
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
