package io.shardpress.kernels.bench;

import io.shardpress.kernels.learn.BlockwiseLearner;
import io.shardpress.kernels.learn.LearningRate;
import io.shardpress.kernels.learn.LrqLinear;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Map;
import java.util.TreeMap;

/**
 * One step of LRQ's learning on a block: quantize, forward, backward, Adam. Its work is counted as
 * 6·N·T for N weights and T tokens, and 6·k·Σ(out·in) for the products of rank k; attention's is
 * not. The rate to compare with is that of a square product in the same turns.
 */
final class BlockStepBench implements Benchmark {
  private static final int PRODUCT = 1920;

  private final BlockShape shape;
  private final int window;
  private final int batch;
  private final int rank;

  /**
   * @param shape the block
   * @param window tokens of a window
   * @param batch windows of a step
   */
  BlockStepBench(BlockShape shape, int window, int batch, int rank) {
    this.shape = shape;
    this.window = window;
    this.batch = batch;
    this.rank = rank;
  }

  /** A block of TinyLlama's sizes, on two windows of 1024 tokens. */
  static BlockStepBench large() {
    return new BlockStepBench(shape(2048, 5632, 32, 4, 64), 1024, 2, 512);
  }

  /** A block of the sample model, on two windows of 256 tokens. */
  static BlockStepBench small() {
    return new BlockStepBench(shape(256, 512, 8, 4, 32), 256, 2, 64);
  }

  private static BlockShape shape(int hidden, int ffn, int heads, int kvHeads, int headDim) {
    double[] frequencies = new double[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = Math.pow(10000, -2.0 * i / headDim);
    }
    return new BlockShape(hidden, ffn, heads, kvHeads, headDim, 1e-5, frequencies, 0);
  }

  @Override
  public void run(Setting setting, JsonLine line) {
    Matmul matmul = Matmuls.chosen();
    int rows = batch * window;
    float[] target = RandomArrays.uniform(rows * shape.hidden(), 2);
    float[] a = RandomArrays.uniform(PRODUCT * PRODUCT, 3);
    float[] b = RandomArrays.uniform(PRODUCT * PRODUCT, 4);
    float[] c = new float[PRODUCT * PRODUCT];
    try (Workers workers = Workers.of(setting.threads())) {
      long held = Memory.allocatedBytes();
      BlockwiseLearner learner = learner(matmul);
      held = Memory.allocatedBytes() - held;
      System.arraycopy(
          RandomArrays.uniform(rows * shape.hidden(), 1),
          0,
          learner.input(),
          0,
          rows * shape.hidden());
      learner.step(target, batch, 0, workers);
      Turns turns =
          new Turns()
              .add("step", () -> learner.step(target, batch, 0, workers))
              .add("product", () -> multiply(matmul, a, b, c, workers))
              .run(setting.seconds());
      long allocated = Memory.allocatedBytes();
      learner.step(target, batch, 0, workers);
      allocated = Memory.allocatedBytes() - allocated;
      double flops = flops();
      double rate = flops / turns.seconds("step") / 1e9;
      double product = 2.0 * PRODUCT * PRODUCT * PRODUCT / turns.seconds("product") / 1e9;
      line.put("hidden", shape.hidden())
          .put("ffn", shape.ffn())
          .put("tokens", rows)
          .put("rank", rank)
          .put("seconds", turns.seconds("step"))
          .put("cpu_seconds", turns.cpuSeconds("step"))
          .put("tflop", flops / 1e12)
          .put("gflops", rate)
          .put("matmul_gflops", product)
          .put("ratio_to_matmul", rate / product)
          .put("learner_mb", held / 1e6)
          .put("allocated_per_step_mb", allocated / 1e6)
          .put("peak_resident_mb", Memory.peakResidentBytes() / 1e6);
    }
  }

  private double flops() {
    double weights = 0;
    double low = 0;
    for (LinearRole role : LinearRole.SEPARATE) {
      double elements = (double) shape.out(role) * shape.in(role);
      weights += elements;
      low += rank(role) * elements;
    }
    return 6 * weights * batch * window + 6 * low;
  }

  private int rank(LinearRole role) {
    return Math.min(rank, Math.min(shape.out(role), shape.in(role)));
  }

  private BlockwiseLearner learner(Matmul matmul) {
    WeightScheme scheme = new WeightScheme(4, false, 128);
    Map<LinearRole, float[]> weights = new TreeMap<>();
    Map<LinearRole, LrqLinear> linears = new TreeMap<>();
    for (LinearRole role : LinearRole.SEPARATE) {
      int out = shape.out(role);
      int in = shape.in(role);
      float[] w = RandomArrays.uniform(out * in, LinearRole.SEPARATE.indexOf(role));
      for (int i = 0; i < w.length; i++) {
        w[i] /= (float) Math.sqrt(in);
      }
      weights.put(role, w);
      Steps steps = RoundToNearest.steps(w, out, in, scheme, ScaleFormat.BF16, new MinMax(), null);
      SeededRandom random = new SeededRandom(1, 0, role.label());
      linears.put(
          role,
          new LrqLinear(w, out, in, scheme, steps, rank(role), random, matmul, ScaleFormat.BF16));
    }
    float[] ones = new float[shape.hidden()];
    java.util.Arrays.fill(ones, 1);
    BlockWeights block = new BlockWeights(weights, Map.of(), ones, ones, null, null);
    DecoderBlock decoder = new DecoderBlock(shape, window, matmul);
    return new BlockwiseLearner(
        decoder, block, linears, batch, new LearningRate(1e-4, 500, LearningRate.Decay.COSINE));
  }

  private static void multiply(Matmul matmul, float[] a, float[] b, float[] c, Workers workers) {
    int n = PRODUCT;
    matmul.multiply(Op.AS_IS, Op.AS_IS, n, n, n, 1, a, 0, n, b, 0, n, 0, c, 0, n, workers);
  }
}
