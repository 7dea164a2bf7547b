package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Linears of 2×4 with 2 bits, by the error of their outputs: of all 4^4 codes of a row, each with
 * its best scale, s = w·H·qᵀ/(q·H·qᵀ), the least error bounds every learner from below.
 */
class BestOfAllTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final WeightScheme SCHEME = new WeightScheme(2, false, 0);
  private static final int OUT = 2;
  private static final int IN = 4;
  private static final int ITERATIONS = 200;
  private static final int CASES = 150;

  private enum Learner {
    LAYER_LRQ(0.75) {
      @Override
      QuantizedLinear learn(float[] w, float[] h, Steps start) {
        float[] upper =
            StageFactors.of(IN, h.clone(), null, 0.01, 0, MATMUL, Workers.single()).inverseUpper();
        return new LayerLrq(SCHEME, ScaleFormat.BF16, 2, LayerLrq.LEARNING_RATE, MATMUL)
            .quantize(w, OUT, IN, h, upper, start, new SeededRandom(1, 1, ""), Workers.single())
            .linear();
      }
    },
    FLEX_ROUND(0.75) {
      @Override
      QuantizedLinear learn(float[] w, float[] h, Steps start) {
        return descend(
            new FlexRoundLinear(w, OUT, IN, SCHEME, start, ScaleFormat.BF16),
            new LearningRate(0.01, ITERATIONS, LearningRate.Decay.COSINE),
            w,
            h);
      }
    },
    AUTO_ROUND(0.6) {
      @Override
      QuantizedLinear learn(float[] w, float[] h, Steps start) {
        return descend(
            new AutoRoundLinear(w, OUT, IN, SCHEME, ScaleFormat.BF16),
            new LearningRate(1.0 / ITERATIONS, ITERATIONS, LearningRate.Decay.LINEAR),
            w,
            h);
      }
    };

    /** Of the error beyond the least of all, what has to be won over rounding to nearest. */
    private final double share;

    Learner(double share) {
      this.share = share;
    }

    abstract QuantizedLinear learn(float[] w, float[] h, Steps start);
  }

  @ParameterizedTest
  @EnumSource(Learner.class)
  void winsMostOfWhatCanBeWon(Learner learner) {
    Random random = new Random(6);
    double best = 0;
    double learned = 0;
    double nearest = 0;
    for (int n = 0; n < CASES; n++) {
      float[] w = Arrays64.gaussian(random, OUT * IN, 1);
      float[] h = Dense.moments(IN, 6, random);
      QuantizedLinear start =
          RoundToNearest.quantize(w, OUT, IN, SCHEME, ScaleFormat.BF16, new MinMax());
      QuantizedLinear found = learner.learn(w, h, start.steps());
      for (int row = 0; row < OUT; row++) {
        double error = error(w, found.dequantize(), row, h);
        double least = leastOfAll(w, row, h);
        assertThat(error).as("case %s row %s", n, row).isGreaterThanOrEqualTo(least * (1 - 1e-5));
        best += least;
        learned += error;
        nearest += error(w, start.dequantize(), row, h);
      }
    }
    assertThat((nearest - learned) / (nearest - best)).isGreaterThan(learner.share);
  }

  /** Full-batch descent that keeps the parameters with the least error. */
  private static QuantizedLinear descend(
      TrainableLinear linear, LearningRate rate, float[] w, float[] h) {
    LayerObjective objective = new LayerObjective(w, OUT, IN, h, MATMUL);
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < ITERATIONS; i++) {
      float[] quantized = linear.forward(Workers.single());
      double error = error(w, quantized, 0, h) + error(w, quantized, 1, h);
      if (error < least) {
        least = error;
        linear.remember();
      }
      linear.backward(objective.gradient(quantized, Workers.single()), Workers.single());
      linear.step(i + 1, rate.at(i), Workers.single());
    }
    linear.recall();
    return linear.result(ScaleFormat.BF16, Workers.single());
  }

  private static double leastOfAll(float[] w, int row, float[] h) {
    double[] weights = new double[IN];
    for (int i = 0; i < IN; i++) {
      weights[i] = w[row * IN + i];
    }
    double[] wide = Arrays64.of(h);
    double whole = Dense.form(weights, wide);
    double least = whole;
    for (int zero = 0; zero < 4; zero++) {
      for (int codes = 0; codes < 256; codes++) {
        double[] q = new double[IN];
        for (int i = 0; i < IN; i++) {
          q[i] = (codes >> (2 * i) & 3) - zero;
        }
        double square = Dense.form(q, wide);
        double product = 0;
        for (int i = 0; i < IN; i++) {
          for (int j = 0; j < IN; j++) {
            product += weights[i] * wide[i * IN + j] * q[j];
          }
        }
        if (product > 0) {
          least = Math.min(least, whole - product * product / square);
        }
      }
    }
    return least;
  }

  private static double error(float[] w, float[] quantized, int row, float[] h) {
    double[] e = new double[IN];
    for (int i = 0; i < IN; i++) {
      e[i] = (double) w[row * IN + i] - quantized[row * IN + i];
    }
    return Dense.form(e, Arrays64.of(h));
  }
}
