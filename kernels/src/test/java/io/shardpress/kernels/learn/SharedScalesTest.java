package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.nn.OracleBlock;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Scales learned by parts of a batch that know nothing of one another. */
class SharedScalesTest {
  private static final int SIZE = SmallBlock.WINDOW;

  /** First windows of the parts, and the end: parts of different sizes. */
  private static final int[] PARTS = {0, 2, 3};

  private static final double[] SHARES = {2.0 / 3, 1.0 / 3};

  private final SmallBlock block = new SmallBlock();

  /** Against differences of the whole batch's loss, by the block in f64. */
  @ParameterizedTest
  @CsvSource({"3,false,0", "2,true,4"})
  void theSumIsTheBatchsGradient(int bits, boolean symmetric, int group) {
    Map<LinearRole, QuantizedLinear> start = start(new WeightScheme(bits, symmetric, group));
    SharedScales scales = shared(start, new LearningRate(0, 1, LearningRate.Decay.COSINE));
    scales.step(gradients(start, scales), SHARES, 0);

    OracleBlock oracle =
        new OracleBlock(block.shape, SIZE, SmallBlock.WINDOWS * SIZE, block.weights, block.input);
    start.forEach((role, linear) -> oracle.linears.put(role, Arrays64.of(linear.dequantize())));
    int next = 0;
    for (LinearRole role : start.keySet()) {
      double[] d = Arrays64.of(scales.logScales()[next]);
      NumericGradient.check(
          role.label(),
          () -> {
            oracle.linears.put(role, dequantized(start.get(role), d));
            return loss(oracle.output());
          },
          d,
          scales.gradients()[next++],
          10,
          2e-4);
      oracle.linears.put(role, dequantized(start.get(role), d));
    }
  }

  /** Step by step what one learner does that has the whole batch. */
  @Test
  void learnsAsOneLearnerDoes() {
    Map<LinearRole, QuantizedLinear> start = start(new WeightScheme(3, false, 4));
    LearningRate rate = new LearningRate(5e-3, 20, LearningRate.Decay.COSINE);
    Map<LinearRole, ScalesLinear> linears = linears(start);
    BlockwiseLearner learner = block.learner(linears, rate, true);
    SharedScales scales = shared(start, rate);
    float[][] before = new float[start.size()][];
    for (int i = 0; i < before.length; i++) {
      before[i] = scales.logScales()[i].clone();
    }
    for (int iteration = 0; iteration < 10; iteration++) {
      learner.step(block.target, SmallBlock.WINDOWS, iteration, Workers.single());
      scales.step(gradients(start, scales), SHARES, iteration);
    }
    int next = 0;
    for (ScalesLinear linear : linears.values()) {
      float[] found = scales.logScales()[next];
      Difference.assertWithin("d", found, Arrays64.of(linear.logScales()), 1e-5);
      assertThat(found).isNotEqualTo(before[next]);
      float[] stored = scales.stored(ScaleFormat.BF16)[next++];
      assertThat(stored)
          .isEqualTo(linear.result(ScaleFormat.BF16, Workers.single()).steps().scales());
    }
  }

  private Map<LinearRole, QuantizedLinear> start(WeightScheme scheme) {
    Map<LinearRole, QuantizedLinear> start = new TreeMap<>();
    for (LinearRole role : LinearRole.SEPARATE) {
      start.put(
          role,
          RoundToNearest.quantize(
              block.weights.linear(role),
              block.shape.out(role),
              block.shape.in(role),
              scheme,
              ScaleFormat.F32,
              new MinMax()));
    }
    return start;
  }

  private static SharedScales shared(Map<LinearRole, QuantizedLinear> start, LearningRate rate) {
    return new SharedScales(
        start.values().stream().map(linear -> linear.steps().scales()).toList(), rate);
  }

  private static Map<LinearRole, ScalesLinear> linears(Map<LinearRole, QuantizedLinear> start) {
    Map<LinearRole, ScalesLinear> linears = new TreeMap<>();
    start.forEach((role, linear) -> linears.put(role, new ScalesLinear(linear, ScaleFormat.F32)));
    return linears;
  }

  /** What each part gives, by a learner that sees its windows alone. */
  private List<float[][]> gradients(Map<LinearRole, QuantizedLinear> start, SharedScales scales) {
    List<float[][]> gradients = new ArrayList<>();
    int window = SIZE * block.shape.hidden();
    for (int part = 0; part + 1 < PARTS.length; part++) {
      int windows = PARTS[part + 1] - PARTS[part];
      Map<LinearRole, ScalesLinear> linears = linears(start);
      int next = 0;
      for (ScalesLinear linear : linears.values()) {
        float[] d = scales.logScales()[next++];
        System.arraycopy(d, 0, linear.logScales(), 0, d.length);
      }
      LearningRate none = new LearningRate(0, 1, LearningRate.Decay.COSINE);
      BlockwiseLearner learner =
          new BlockwiseLearner(block.block, block.weights, linears, windows, none);
      int at = PARTS[part] * window;
      System.arraycopy(block.input, at, learner.input(), 0, windows * window);
      float[] target = new float[windows * window];
      System.arraycopy(block.target, at, target, 0, target.length);
      learner.gradients(target, windows, Workers.single());
      gradients.add(linears.values().stream().map(ScalesLinear::gradient).toArray(float[][]::new));
    }
    return gradients;
  }

  private static double[] dequantized(QuantizedLinear linear, double[] d) {
    double[] w = new double[linear.out() * linear.in()];
    for (int i = 0; i < w.length; i++) {
      int g = i / linear.groupLength();
      w[i] = Math.exp(d[g]) * ((linear.codes()[i] & 0xFF) - linear.steps().zeros()[g]);
    }
    return w;
  }

  private double loss(double[] output) {
    double sum = 0;
    for (int i = 0; i < output.length; i++) {
      sum += (output[i] - block.target[i]) * (output[i] - block.target[i]);
    }
    return sum / (SmallBlock.WINDOWS * block.shape.hidden());
  }
}
