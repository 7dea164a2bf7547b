package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Locale;
import java.util.Random;

/** A linear, the second moments of its inputs, and how it is to be quantized. */
record Layer(float[] w, int out, int in, float[] h, WeightScheme scheme, int rank) {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double DAMPING = 0.01;

  /** Of any size, with zero rows, dead and correlated inputs, and channels of 1000 times. */
  static Layer random(Random random) {
    int group = new int[] {0, 0, 1, 4, 8, 32}[random.nextInt(6)];
    int in = group == 0 ? 1 + random.nextInt(70) : group * (1 + random.nextInt(64 / group));
    int out = 1 + random.nextInt(80);
    float[] w = Arrays64.gaussian(random, out * in, Math.pow(10, random.nextInt(5) - 3));
    double[] weightChannels = channels(in, random);
    for (int i = 0; i < w.length; i++) {
      w[i] *= (float) weightChannels[i % in];
      if (i / in % 7 == 3) {
        w[i] = 0;
      }
    }
    int tokens = 1 + random.nextInt(2 * in);
    double[] x = Dense.inputs(in, tokens, random);
    double[] inputChannels = channels(in, random);
    for (int i = 0; i < x.length; i++) {
      x[i] *= inputChannels[i % in];
    }
    int bits = new int[] {2, 3, 4, 8}[random.nextInt(4)];
    return new Layer(
        w,
        out,
        in,
        Dense.product(in, x, null, tokens),
        new WeightScheme(bits, random.nextBoolean(), group),
        random.nextInt(4));
  }

  private static double[] channels(int in, Random random) {
    double[] factors = new double[in];
    boolean dead = random.nextBoolean();
    boolean outliers = random.nextBoolean();
    for (int i = 0; i < in; i++) {
      factors[i] = 1;
      if (dead && random.nextInt(4) == 0) {
        factors[i] = 0;
      }
      if (outliers && random.nextInt(16) == 0) {
        factors[i] = 1000;
      }
    }
    return factors;
  }

  QuantizedLinear nearest(StepRule rule) {
    return RoundToNearest.quantize(w, out, in, scheme, ScaleFormat.BF16, rule);
  }

  QuantizedLinear gptq(StepRule rule) {
    float[] upper = inverseUpper();
    return new Gptq(scheme, ScaleFormat.BF16, rule, MATMUL)
        .quantize(w.clone(), out, in, upper, null, Workers.single())
        .linear();
  }

  private float[] inverseUpper() {
    return StageFactors.of(in, h.clone(), null, DAMPING, 0, MATMUL, Workers.single())
        .inverseUpper();
  }

  LayerLrq.Result learn(Steps start, int iterations, Workers workers) {
    LearningRate rate = new LearningRate(3e-3, iterations, LearningRate.Decay.COSINE);
    return new LayerLrq(scheme, ScaleFormat.BF16, rank, rate, MATMUL)
        .quantize(w, out, in, h, inverseUpper(), start, new SeededRandom(1, 2, "layer"), workers);
  }

  /** tr((W − Ŵ)·H·(W − Ŵ)ᵀ) over the mean of diag(H), in f64. */
  double error(QuantizedLinear linear) {
    float[] quantized = linear.dequantize();
    double[] wide = Arrays64.of(h);
    double mean = 0;
    for (int i = 0; i < in; i++) {
      mean += wide[i * in + i] / in;
    }
    double sum = 0;
    for (int row = 0; row < out; row++) {
      double[] e = new double[in];
      for (int i = 0; i < in; i++) {
        e[i] = (double) w[row * in + i] - quantized[row * in + i];
      }
      sum += Dense.form(e, wide);
    }
    return mean > 0 ? sum / mean : 0;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "%d×%d %s group %d rank %d", out, in, scheme.name(), scheme.groupSize(), rank);
  }
}
