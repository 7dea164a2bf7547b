package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.OpenParts;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Finishes a block after its last site was solved: the next block's inputs.
 *
 * @param link the block as it is solved
 * @param inputs what the passes of its sites left
 * @param full the full-precision chain's output
 * @param quantized the quantized chain's output, with its error
 * @param both whether the quantized chain is wanted, not the full-precision one alone
 */
public record AdvanceStep(
    ChainLink link, StageInputs inputs, BlockOutput full, BlockOutput quantized, boolean both)
    implements Step {
  private static final StepKind KIND = new StepKind("advance", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public List<PartKey> parts() {
    List<PartKey> parts = new ArrayList<>(List.of(full.part()));
    if (both) {
      parts.add(quantized.part());
    }
    return parts;
  }

  private SamplePartition samples() {
    return full.samples();
  }

  private int window() {
    return full.window();
  }

  @Override
  public Reads reads() {
    return inputs.reads();
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window(), environment.matmul());
    BlockWeights original = link.spec().load(environment.reader(), ChainPass.lastLinears(shape));
    int batch = Batches.windows(shape, window(), samples().count());
    List<ChainPass> chains = new ArrayList<>();
    chains.add(new ChainPass(block, original, 0, batch, environment.workers()));
    if (both) {
      BlockWeights replaced = link.quantized(original, environment.store());
      chains.add(new ChainPass(block, replaced, 1, batch, environment.workers()));
    }
    BlockError error = BlockError.NONE;
    try (OpenParts<Stage> states = OpenParts.of(environment.store(), inputs.states());
        PartWriter first = environment.store().write(full.part());
        PartWriter second = both ? environment.store().write(quantized.part()) : null) {
      for (int at = 0; at < samples().count(); at += batch) {
        int count = Math.min(batch, samples().count() - at);
        float[] wanted = finish(chains.get(0), states, first, at, count);
        if (second != null) {
          float[] found = finish(chains.get(1), states, second, at, count);
          error = error.plus(BlockError.of(wanted, found, count * window() * shape.hidden()));
        }
      }
      first.commit();
      if (second != null) {
        error.write(second);
        second.commit();
      }
    }
  }

  /** Writes a chain's output of {@code count} windows from {@code at} on, and gives it. */
  private float[] finish(
      ChainPass chain, OpenParts<Stage> states, PartWriter writer, int at, int count) {
    chain.finish(states.readers(), at, count);
    float[] output = chain.activations().output();
    int hidden = link.spec().shape().hidden();
    Activations.write(writer, samples().count(), at, count, window(), output, hidden);
    return output;
  }
}
