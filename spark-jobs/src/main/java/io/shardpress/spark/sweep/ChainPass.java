package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.store.PartReader;
import java.util.Map;
import java.util.Set;

/**
 * One of the two chains in a pass of a sample partition through a stage: full precision (0) or
 * quantized (1). A stage's state is what later stages need of it: attention's output for O, the
 * residual stream between attention and feed-forward for GATE_UP, the feed-forward's inside for
 * DOWN; of each window first the full-precision chain's, then the quantized one's.
 */
final class ChainPass {
  private final DecoderBlock block;
  private final BlockWeights weights;
  private final int chain;
  private final BlockActivations activations;
  private final Workers workers;

  ChainPass(DecoderBlock block, BlockWeights weights, int chain, int batch, Workers workers) {
    this.block = block;
    this.weights = weights;
    this.chain = chain;
    this.workers = workers;
    this.activations = new BlockActivations(block.shape(), batch * block.window());
  }

  /** The linears that a chain runs on its way to a stage's input. */
  static Set<LinearRole> linearsBefore(Stage stage, BlockShape shape) {
    return switch (stage) {
      case QKV -> Set.of();
      case O -> Set.copyOf(shape.linears(Stage.QKV));
      case GATE_UP -> Set.copyOf(shape.linears(Stage.O));
      case DOWN -> Set.copyOf(shape.linears(Stage.GATE_UP));
    };
  }

  /** The linears that a chain runs to finish a block. */
  static Set<LinearRole> lastLinears(BlockShape shape) {
    return Set.copyOf(shape.linears(Stage.DOWN));
  }

  BlockActivations activations() {
    return activations;
  }

  /** Brings {@code count} windows from {@code first} on to the input of a stage. */
  void advanceTo(
      Stage stage, PartReader input, Map<Stage, PartReader> states, int first, int count) {
    int rows = count * block.window();
    switch (stage) {
      case QKV, O -> {
        fill(input, 0, first, count, block.shape().hidden(), activations.input());
        block.begin(weights, rows, activations, workers);
        if (stage == Stage.O) {
          block.run(Stage.QKV, weights, activations, workers);
        }
      }
      case GATE_UP -> {
        fill(input, 0, first, count, block.shape().hidden(), activations.input());
        fill(
            states.get(Stage.O),
            chain,
            first,
            count,
            block.shape().queryWidth(),
            activations.stageInput(Stage.O));
        block.resume(rows, activations);
        block.run(Stage.O, weights, activations, workers);
      }
      case DOWN -> {
        int hidden = block.shape().hidden();
        fill(states.get(Stage.GATE_UP), chain, first, count, hidden, activations.middle());
        block.resume(rows, activations);
        block.beginFeedForward(weights, activations, workers);
        block.run(Stage.GATE_UP, weights, activations, workers);
      }
    }
  }

  /** Brings {@code count} windows from {@code first} on to the block's output. */
  void finish(Map<Stage, PartReader> states, int first, int count) {
    int hidden = block.shape().hidden();
    fill(states.get(Stage.GATE_UP), chain, first, count, hidden, activations.middle());
    fill(
        states.get(Stage.DOWN),
        chain,
        first,
        count,
        block.shape().ffn(),
        activations.stageInput(Stage.DOWN));
    block.resume(count * block.window(), activations);
    block.run(Stage.DOWN, weights, activations, workers);
  }

  /** What the output of a site's linear is added to, for the batch that has come to the site. */
  static float[] residual(Stage stage, BlockActivations a) {
    return switch (stage) {
      case O -> a.input();
      case DOWN -> a.middle();
      default -> throw new IllegalArgumentException(stage + " adds to no residual stream");
    };
  }

  /** What a stage's state consists of. */
  static float[] state(Stage stage, BlockActivations a) {
    return switch (stage) {
      case QKV -> throw new IllegalArgumentException(stage + " leaves no state");
      case GATE_UP -> a.middle();
      default -> a.stageInput(stage);
    };
  }

  private void fill(PartReader reader, int place, int first, int count, int width, float[] into) {
    for (int i = 0; i < count; i++) {
      Activations.read(reader, place, first + i, into, i * block.window() * width);
    }
  }
}
