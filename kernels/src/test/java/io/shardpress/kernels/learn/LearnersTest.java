package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What all linears but LRQ's, which has its own test, do under the block-wise learner. */
class LearnersTest {
  private static final int ITERATIONS = 80;

  private enum Kind {
    FLEX_ROUND(0.01, LearningRate.Decay.COSINE, 0.7),
    AUTO_ROUND(1.0 / ITERATIONS, LearningRate.Decay.LINEAR, 0.75),
    SCALES(0.01, LearningRate.Decay.COSINE, 0.95);

    private final double firstRate;
    private final LearningRate.Decay decay;
    private final double wantedShare;

    Kind(double firstRate, LearningRate.Decay decay, double wantedShare) {
      this.firstRate = firstRate;
      this.decay = decay;
      this.wantedShare = wantedShare;
    }

    LearningRate rate() {
      return new LearningRate(firstRate, ITERATIONS, decay);
    }

    TrainableLinear linear(float[] w, int out, int in, WeightScheme scheme) {
      QuantizedLinear nearest =
          RoundToNearest.quantize(w, out, in, scheme, ScaleFormat.BF16, new MinMax());
      return switch (this) {
        case FLEX_ROUND ->
            new FlexRoundLinear(w, out, in, scheme, nearest.steps(), ScaleFormat.BF16);
        case AUTO_ROUND -> new AutoRoundLinear(w, out, in, scheme, ScaleFormat.BF16);
        case SCALES -> new ScalesLinear(nearest, ScaleFormat.F32);
      };
    }
  }

  /** Group 4 divides every linear's inputs. */
  static Stream<Arguments> cases() {
    List<Arguments> cases = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (int bits : new int[] {2, 3, 4}) {
        cases.add(Arguments.of(kind, new WeightScheme(bits, false, 0)));
        cases.add(Arguments.of(kind, new WeightScheme(bits, true, 0)));
        cases.add(Arguments.of(kind, new WeightScheme(bits, false, 4)));
        cases.add(Arguments.of(kind, new WeightScheme(bits, true, 4)));
      }
    }
    return cases.stream();
  }

  /** The loss falls from that of rounding to nearest, and what is stored keeps what was won. */
  @ParameterizedTest
  @MethodSource("cases")
  void lossFalls(Kind kind, WeightScheme scheme) {
    Learning learning = new Learning(kind, scheme, true);
    double atNearest = learning.blockLoss(learning.nearest());
    double[] losses = learning.run(ITERATIONS, Workers.single());
    assertThat(losses[0]).isCloseTo(atNearest, within(1e-3 * atNearest));
    assertThat(learning.blockLoss(learning.results())).isBetween(0.0, kind.wantedShare * atNearest);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void sameBitsForAnyThreads(Kind kind) {
    WeightScheme scheme = new WeightScheme(3, false, 4);
    for (boolean small : new boolean[] {true, false}) {
      Learning one = new Learning(kind, scheme, small);
      double[] losses = one.run(20, Workers.single());
      Map<LinearRole, float[]> wanted = one.results();
      for (int threads = 2; threads <= 3; threads++) {
        Learning other = new Learning(kind, scheme, small);
        try (Workers workers = Workers.of(threads)) {
          assertThat(other.run(20, workers)).as("%s threads", threads).isEqualTo(losses);
        }
        other.results().forEach((role, w) -> assertThat(w).isEqualTo(wanted.get(role)));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void goesBackToWhatWasRemembered(Kind kind) {
    Learning learning = new Learning(kind, new WeightScheme(3, true, 4), true);
    BlockwiseLearner learner = learning.learner();
    for (int round = 0; round < 2; round++) {
      learner.remember();
      double loss = learner.loss(learning.block.target, SmallBlock.WINDOWS, Workers.single());
      for (int i = 0; i < 5; i++) {
        learner.step(learning.block.target, SmallBlock.WINDOWS, i, Workers.single());
      }
      assertThat(learner.loss(learning.block.target, SmallBlock.WINDOWS, Workers.single()))
          .isNotEqualTo(loss);
      learner.recall();
      assertThat(learner.loss(learning.block.target, SmallBlock.WINDOWS, Workers.single()))
          .isEqualTo(loss);
      learner.step(learning.block.target, SmallBlock.WINDOWS, 0, Workers.single());
    }
  }

  /** The mean of the windows' gradients is that of the batch, and a step from it the batch's. */
  @Test
  void scalesLearnFromSumsOverPartitions() {
    WeightScheme scheme = new WeightScheme(3, false, 4);
    Learning whole = new Learning(Kind.SCALES, scheme, true);
    Learning parts = new Learning(Kind.SCALES, scheme, true);
    BlockwiseLearner learner = parts.learner();
    int size = SmallBlock.WINDOW * parts.block.shape.hidden();
    Map<LinearRole, double[]> sums = new TreeMap<>();
    double loss = 0;
    for (int window = 0; window < SmallBlock.WINDOWS; window++) {
      System.arraycopy(parts.block.input, window * size, learner.input(), 0, size);
      float[] target = new float[size];
      System.arraycopy(parts.block.target, window * size, target, 0, size);
      loss += learner.gradients(target, 1, Workers.single()) / SmallBlock.WINDOWS;
      parts.linears.forEach(
          (role, linear) -> {
            float[] g = ((ScalesLinear) linear).gradient();
            double[] sum = sums.computeIfAbsent(role, r -> new double[g.length]);
            for (int i = 0; i < g.length; i++) {
              sum[i] += g[i] / (double) SmallBlock.WINDOWS;
            }
          });
    }
    double wanted = whole.learner().step(whole.block.target, 3, 0, Workers.single());
    assertThat(loss).isCloseTo(wanted, within(1e-5 * wanted));
    parts.linears.forEach(
        (role, linear) -> {
          float[] g = ((ScalesLinear) linear).gradient();
          double[] sum = sums.get(role);
          for (int i = 0; i < g.length; i++) {
            g[i] = (float) sum[i];
          }
          Difference.assertWithin(
              role + "", ((ScalesLinear) whole.linears.get(role)).gradient(), sum, 1e-5);
        });
    learner.update(0, Workers.single());
    parts
        .results()
        .forEach((role, w) -> Difference.assertWithin("", w, whole.results().get(role), 1e-5));
  }

  private static final class Learning {
    final SmallBlock block = new SmallBlock();
    final Map<LinearRole, TrainableLinear> linears = new TreeMap<>();
    final Kind kind;
    final WeightScheme scheme;
    final boolean small;

    Learning(Kind kind, WeightScheme scheme, boolean small) {
      this.kind = kind;
      this.scheme = scheme;
      this.small = small;
      for (LinearRole role : LinearRole.SEPARATE) {
        int in = block.shape.in(role);
        linears.put(
            role, kind.linear(block.weights.linear(role), block.shape.out(role), in, scheme));
      }
    }

    BlockwiseLearner learner() {
      return block.learner(linears, kind.rate(), small);
    }

    double[] run(int steps, Workers workers) {
      BlockwiseLearner learner = learner();
      double[] losses = new double[steps];
      for (int i = 0; i < steps; i++) {
        losses[i] = learner.step(block.target, SmallBlock.WINDOWS, i, workers);
      }
      return losses;
    }

    /** What would be stored. */
    Map<LinearRole, float[]> results() {
      Map<LinearRole, float[]> results = new TreeMap<>();
      linears.forEach(
          (role, linear) ->
              results.put(role, linear.result(ScaleFormat.BF16, Workers.single()).dequantize()));
      return results;
    }

    Map<LinearRole, float[]> nearest() {
      Map<LinearRole, float[]> nearest = new TreeMap<>();
      linears
          .keySet()
          .forEach(
              role ->
                  nearest.put(
                      role,
                      RoundToNearest.quantize(
                              block.weights.linear(role),
                              block.shape.out(role),
                              block.shape.in(role),
                              scheme,
                              ScaleFormat.BF16,
                              new MinMax())
                          .dequantize()));
      return nearest;
    }

    /** Squared error of the block's output with these weights, by another way than a learner's. */
    double blockLoss(Map<LinearRole, float[]> quantized) {
      float[] output = block.output(block.weights.with(quantized));
      double sum = 0;
      for (int i = 0; i < output.length; i++) {
        sum += Math.pow((double) output[i] - block.target[i], 2);
      }
      return sum / (SmallBlock.WINDOWS * block.shape.hidden());
    }
  }
}
