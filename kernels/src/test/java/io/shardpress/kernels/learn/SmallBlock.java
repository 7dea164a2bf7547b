package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.RandomBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;
import java.util.Random;

/** A random block, random inputs of a few windows, and what it makes of them. */
final class SmallBlock {
  static final Matmul MATMUL = Matmuls.chosen();
  static final int WINDOW = 16;
  static final int WINDOWS = 3;

  final BlockShape shape = RandomBlock.shape(0);
  final DecoderBlock block = new DecoderBlock(shape, WINDOW, MATMUL);
  final BlockWeights weights;
  final float[] input;
  final float[] target;

  SmallBlock() {
    Random random = new Random(11);
    weights = RandomBlock.weights(shape, false, true, random);
    input = Arrays64.gaussian(random, WINDOWS * WINDOW * shape.hidden(), 1);
    target = output(weights);
  }

  float[] output(BlockWeights of) {
    int rows = WINDOWS * WINDOW;
    BlockActivations a = new BlockActivations(shape, rows);
    System.arraycopy(input, 0, a.input(), 0, input.length);
    block.forward(of, rows, a, Workers.single());
    return a.output();
  }

  /** A learner that has all windows as its batch. */
  BlockwiseLearner learner(
      Map<LinearRole, ? extends TrainableLinear> linears, LearningRate rate, boolean small) {
    BlockwiseLearner learner = new BlockwiseLearner(block, weights, linears, WINDOWS, rate, small);
    System.arraycopy(input, 0, learner.input(), 0, input.length);
    return learner;
  }
}
