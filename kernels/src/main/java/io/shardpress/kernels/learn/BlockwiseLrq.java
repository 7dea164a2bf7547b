package io.shardpress.kernels.learn;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockGradients;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.LinearRole;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * LRQ by the output error of a whole block: all its linears learn at once from squared errors
 * against the full-precision block's output, summed over the window and averaged over batch and
 * hidden. Adam, with the learning rate falling to zero as a cosine.
 */
public final class BlockwiseLrq {
  // Elements of a weight that is not worth several threads.
  private static final int LARGEST_FOR_ONE_THREAD = 1 << 20;

  private final DecoderBlock block;
  private final BlockWeights weights;
  private final Map<LinearRole, LrqLinear> linears;
  private final Map<LinearRole, Adam[]> optimizers = new EnumMap<>(LinearRole.class);
  private final Map<LinearRole, float[]> weightGradients = new EnumMap<>(LinearRole.class);
  private final BlockActivations activations;
  private final BlockGradients gradients;
  private final float[] outputGradient;
  private final double learningRate;
  private final int iterations;

  /**
   * @param weights the block; its linears that are in {@code linears} are learned, the others stay
   * @param batch windows of a step, at most
   */
  public BlockwiseLrq(
      DecoderBlock block,
      BlockWeights weights,
      Map<LinearRole, LrqLinear> linears,
      int batch,
      int iterations,
      double learningRate) {
    this.block = block;
    this.weights = weights;
    this.linears = linears;
    this.iterations = iterations;
    this.learningRate = learningRate;
    int rows = batch * block.window();
    boolean headNorms = weights.queryNorm() != null;
    activations = new BlockActivations(block.shape(), headNorms, rows);
    gradients = new BlockGradients(block.shape(), rows);
    outputGradient = new float[rows * block.shape().hidden()];
    linears.forEach(
        (role, linear) -> {
          Adam[] each = new Adam[linear.parameters().length];
          for (int p = 0; p < each.length; p++) {
            each[p] = new Adam(linear.parameters()[p].length);
          }
          optimizers.put(role, each);
          weightGradients.put(role, new float[block.shape().out(role) * block.shape().in(role)]);
        });
  }

  /** Where the caller puts a batch's inputs, [windows·T × hidden], before a step. */
  public float[] input() {
    return activations.input();
  }

  /**
   * One step on the batch in {@link #input()}.
   *
   * @param target the full-precision block's output [windows·T × hidden]
   * @param iteration counted from 0
   * @return the loss before the step
   */
  public double step(float[] target, int windows, int iteration, Workers workers) {
    BlockWeights w = weights.with(quantize(workers));
    int rows = windows * block.window();
    block.forward(w, rows, activations, workers);
    double loss = lossGradient(target, rows, windows);
    block.backward(w, activations, outputGradient, null, weightGradients, gradients, workers);
    double rate = learningRate * 0.5 * (1 + StrictMath.cos(Math.PI * iteration / iterations));
    forEachLinear(
        workers,
        (role, inner) -> {
          LrqLinear linear = linears.get(role);
          linear.backward(weightGradients.get(role), inner);
          for (int p = 0; p < linear.parameters().length; p++) {
            optimizers.get(role)[p].update(
                linear.parameters()[p], linear.gradients()[p], iteration + 1, rate, inner);
          }
        });
    return loss;
  }

  /**
   * The loss of the present parameters on the batch in {@link #input()}; nothing is learned.
   *
   * @param target as for {@link #step}
   */
  public double loss(float[] target, int windows, Workers workers) {
    Map<LinearRole, float[]> quantized = quantize(workers);
    int rows = windows * block.window();
    block.forward(weights.with(quantized), rows, activations, workers);
    return lossGradient(target, rows, windows);
  }

  private Map<LinearRole, float[]> quantize(Workers workers) {
    Map<LinearRole, float[]> quantized = new EnumMap<>(LinearRole.class);
    linears.keySet().forEach(role -> quantized.put(role, null));
    float[][] each = new float[LinearRole.values().length][];
    forEachLinear(
        workers, (role, inner) -> each[role.ordinal()] = linears.get(role).forward(inner));
    quantized.replaceAll((role, none) -> each[role.ordinal()]);
    return quantized;
  }

  /**
   * Gives each linear to a thread of its own where they are small, and all threads to each in turn
   * where they are large; the results are the same.
   */
  private void forEachLinear(Workers workers, BiConsumer<LinearRole, Workers> body) {
    List<LinearRole> roles = List.copyOf(linears.keySet());
    int largest = block.shape().ffn() * block.shape().hidden();
    if (largest > LARGEST_FOR_ONE_THREAD) {
      roles.forEach(role -> body.accept(role, workers));
    } else {
      workers.forEach(roles.size(), i -> body.accept(roles.get(i), Workers.single()));
    }
  }

  /** Remembers the present parameters. */
  public void remember() {
    linears.values().forEach(LrqLinear::remember);
  }

  /** Goes back to the parameters last remembered. */
  public void recall() {
    linears.values().forEach(LrqLinear::recall);
  }

  private double lossGradient(float[] target, int rows, int windows) {
    int hidden = block.shape().hidden();
    float[] output = activations.output();
    double share = 1.0 / ((double) windows * hidden);
    double sum = 0;
    for (int i = 0; i < rows * hidden; i++) {
      float error = output[i] - target[i];
      sum += (double) error * error;
      outputGradient[i] = (float) (2 * share) * error;
    }
    return sum * share;
  }
}
