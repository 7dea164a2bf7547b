package io.shardpress.spark.unit;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Finishes a block after its last stage was solved: the next block's inputs.
 *
 * @param full the part for the full-precision chain's output
 * @param quantized the part for the quantized chain's output, with its error; null where only the
 *     full-precision chain is wanted
 */
public record AdvanceUnit(
    PartKey full,
    PartKey quantized,
    ChainLink link,
    StageInputs inputs,
    SamplePartition samples,
    int window)
    implements UnitOfWork {
  @Override
  public List<PartKey> parts() {
    return quantized == null ? List.of(full) : List.of(full, quantized);
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    BlockWeights original = link.spec().load(environment.reader());
    int batch = Batches.windows(shape, window, samples.count());
    List<ChainPass> chains = new ArrayList<>();
    chains.add(new ChainPass(block, original, 0, samples.count(), batch, environment.workers()));
    if (quantized != null) {
      BlockWeights replaced = link.quantized(original, environment.store());
      chains.add(new ChainPass(block, replaced, 1, samples.count(), batch, environment.workers()));
    }
    int size = window * shape.hidden();
    float[][] outputs = new float[chains.size()][samples.count() * size];
    try (StageUnit.OpenParts states =
        StageUnit.OpenParts.of(inputs.states(), environment.store())) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        for (int chain = 0; chain < chains.size(); chain++) {
          chains.get(chain).finish(states.readers(), first, count);
          System.arraycopy(
              chains.get(chain).activations().output(),
              0,
              outputs[chain],
              first * size,
              count * size);
        }
      }
    }
    try (PartWriter writer = environment.store().write(full)) {
      Activations.write(writer, "x", samples.count(), window, shape.hidden(), outputs[0]);
      writer.commit();
    }
    if (quantized == null) {
      return;
    }
    try (PartWriter writer = environment.store().write(quantized)) {
      Activations.write(writer, "x", samples.count(), window, shape.hidden(), outputs[1]);
      BlockError.of(outputs[0], outputs[1], outputs[0].length).write(writer);
      writer.commit();
    }
  }
}
