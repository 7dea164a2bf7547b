package io.shardpress.kernels.learn;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockGradients;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.ArrayList;
import java.util.List;

/**
 * The part of a batch that goes through a block together. In a small block, whose products are over
 * before a second thread is at work, that is one window, and each slice has a thread of its own; in
 * a large one it is the batch.
 */
final class BatchSlice {
  /** Elements of the largest weight of a small block. */
  private static final int SMALL = 1 << 20;

  private final DecoderBlock block;
  private final int firstWindow;
  private final int capacity;
  private final BlockActivations activations;
  private final BlockGradients gradients;
  private final float[] outputGradient;
  private int windows;

  private BatchSlice(DecoderBlock block, int firstWindow, int capacity) {
    this.block = block;
    this.firstWindow = firstWindow;
    this.capacity = capacity;
    int rows = capacity * block.window();
    activations = new BlockActivations(block.shape(), rows);
    gradients = new BlockGradients(block.shape(), rows);
    outputGradient = new float[rows * block.shape().hidden()];
  }

  static boolean isSmall(BlockShape shape) {
    return (long) shape.ffn() * shape.hidden() <= SMALL;
  }

  /** The slices of batches of up to {@code batch} windows. */
  static List<BatchSlice> of(DecoderBlock block, int batch, boolean small) {
    List<BatchSlice> slices = new ArrayList<>();
    int each = small ? 1 : batch;
    for (int first = 0; first < batch; first += each) {
      slices.add(new BatchSlice(block, first, each));
    }
    return slices;
  }

  /**
   * Takes the slice's windows through the block.
   *
   * @param input of the batch, [windows·T × hidden]
   * @param target of the batch, likewise
   * @param batch windows that there are; a slice beyond them does nothing
   * @param share of the loss that a squared error has
   * @return the slice's part of the loss
   */
  double forward(
      BlockWeights weights,
      float[] input,
      float[] target,
      int batch,
      double share,
      Workers workers) {
    windows = Math.max(0, Math.min(capacity, batch - firstWindow));
    if (windows == 0) {
      return 0;
    }
    int size = block.window() * block.shape().hidden();
    int at = firstWindow * size;
    int count = windows * size;
    System.arraycopy(input, at, activations.input(), 0, count);
    block.forward(weights, windows * block.window(), activations, workers);
    float[] output = block.result(activations);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      float error = output[i] - target[at + i];
      sum += (double) error * error;
      outputGradient[i] = (float) (2 * share) * error;
    }
    return sum * share;
  }

  /** The backward pass after {@link #forward}, without the weights' gradients. */
  void backward(BlockWeights weights, Workers workers) {
    if (windows > 0) {
      block.backward(weights, activations, outputGradient, null, gradients, workers);
    }
  }

  /**
   * The slice's part of a weight's gradient.
   *
   * @param kept 0 to overwrite {@code gradient}, 1 to add to it
   */
  void weightGradient(LinearRole role, float kept, float[] gradient, Workers workers) {
    if (windows > 0) {
      block.weightGradient(role, activations, outputGradient, gradients, kept, gradient, workers);
    }
  }
}
