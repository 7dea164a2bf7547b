package io.shardpress.kernels.learn;

import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.IntConsumer;

/**
 * Learns by the output error of a whole block, its attention or an expert: all its linears at once,
 * from squared errors against the full-precision block's output, summed over the window and
 * averaged over batch and hidden (LRQ, FlexRound and AutoRound alike; what differs are the linears'
 * parameters).
 */
public final class BlockwiseLearner {
  private final DecoderBlock block;
  private final BlockWeights weights;
  private final Map<LinearRole, ? extends TrainableLinear> linears;
  private final Map<LinearRole, float[]> weightGradients = new TreeMap<>();
  private final List<BatchSlice> slices;
  private final float[] input;
  private final boolean small;
  private final List<LinearRole> roles;
  private final LearningRate learningRate;

  /**
   * @param weights the block; its linears that are in {@code linears} are learned, the others stay
   * @param batch windows of a step, at most
   */
  public BlockwiseLearner(
      DecoderBlock block,
      BlockWeights weights,
      Map<LinearRole, ? extends TrainableLinear> linears,
      int batch,
      LearningRate learningRate) {
    this(block, weights, linears, batch, learningRate, BatchSlice.isSmall(block.shape()));
  }

  /**
   * @param small whether a window and a linear each get a thread of their own, instead of all
   *     threads in turn; the results differ by rounding alone. Not for single tokens as windows
   */
  public BlockwiseLearner(
      DecoderBlock block,
      BlockWeights weights,
      Map<LinearRole, ? extends TrainableLinear> linears,
      int batch,
      LearningRate learningRate,
      boolean small) {
    this.block = block;
    this.weights = weights;
    this.linears = linears;
    this.learningRate = learningRate;
    this.small = small;
    slices = BatchSlice.of(block, batch, small);
    input = new float[batch * block.window() * block.shape().hidden()];
    linears.forEach(
        (role, linear) -> {
          weightGradients.put(role, new float[block.shape().out(role) * block.shape().in(role)]);
        });
    roles = new ArrayList<>(linears.keySet());
    // The largest first, so that threads end at about the same time.
    roles.sort(Comparator.comparingInt(role -> -weightGradients.get(role).length));
  }

  /** Where the caller puts a batch's inputs, [windows·T × hidden], before a step. */
  public float[] input() {
    return input;
  }

  /**
   * One step on the batch in {@link #input()}.
   *
   * @param target the full-precision block's output [windows·T × hidden]
   * @param iteration counted from 0
   * @return the loss before the step
   */
  public double step(float[] target, int windows, int iteration, Workers workers) {
    double loss = gradients(target, windows, workers);
    update(iteration, workers);
    return loss;
  }

  /**
   * The loss on the batch in {@link #input()}, and its gradients in the linears; nothing is learned
   * until {@link #update}. In between, a caller may put sums over several batches in their place.
   *
   * @param target as for {@link #step}
   */
  public double gradients(float[] target, int windows, Workers workers) {
    BlockWeights w = weights.with(quantize(workers));
    double loss = pass(w, target, windows, true, workers);
    forEachLinear(
        workers,
        (role, inner) -> {
          float[] gradient = weightGradients.get(role);
          for (int i = 0; i < slices.size(); i++) {
            slices.get(i).weightGradient(role, i == 0 ? 0 : 1, gradient, inner);
          }
          linears.get(role).backward(gradient, inner);
        });
    return loss;
  }

  /**
   * Takes the step that the linears' gradients ask for.
   *
   * @param iteration counted from 0
   */
  public void update(int iteration, Workers workers) {
    double rate = learningRate.at(iteration);
    forEachLinear(workers, (role, inner) -> linears.get(role).step(iteration + 1, rate, inner));
  }

  /**
   * The loss of the present parameters on the batch in {@link #input()}; nothing is learned.
   *
   * @param target as for {@link #step}
   */
  public double loss(float[] target, int windows, Workers workers) {
    return pass(weights.with(quantize(workers)), target, windows, false, workers);
  }

  /** Forward, and backward if asked for, slice by slice; the loss. */
  private double pass(
      BlockWeights w, float[] target, int windows, boolean backward, Workers workers) {
    double share = 1.0 / ((double) windows * block.shape().hidden());
    double[] losses = new double[slices.size()];
    IntConsumer body =
        i -> {
          BatchSlice slice = slices.get(i);
          Workers inner = small ? Workers.single() : workers;
          losses[i] = slice.forward(w, input, target, windows, share, inner);
          if (backward) {
            slice.backward(w, inner);
          }
        };
    if (small) {
      workers.forEach(slices.size(), body);
    } else {
      body.accept(0);
    }
    double loss = 0;
    for (double each : losses) {
      loss += each;
    }
    return loss;
  }

  private Map<LinearRole, float[]> quantize(Workers workers) {
    Map<LinearRole, float[]> quantized = new ConcurrentHashMap<>();
    forEachLinear(workers, (role, inner) -> quantized.put(role, linears.get(role).forward(inner)));
    return quantized;
  }

  /**
   * Gives each linear to a thread of its own where the block is small, and all threads to each in
   * turn where it is large; the results are the same.
   */
  private void forEachLinear(Workers workers, BiConsumer<LinearRole, Workers> body) {
    if (small) {
      workers.forEach(roles.size(), i -> body.accept(roles.get(i), Workers.single()));
    } else {
      roles.forEach(role -> body.accept(role, workers));
    }
  }

  /** Remembers the present parameters. */
  public void remember() {
    linears.values().forEach(TrainableLinear::remember);
  }

  /** Goes back to the parameters last remembered. */
  public void recall() {
    linears.values().forEach(TrainableLinear::recall);
  }
}
