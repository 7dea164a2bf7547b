package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.nn.BackwardObserver;
import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockGradients;
import io.shardpress.kernels.nn.BlockNorm;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.HeadGradient;
import io.shardpress.kernels.nn.HeadRows;
import io.shardpress.kernels.nn.OracleBlock;
import io.shardpress.kernels.nn.RandomBlock;
import io.shardpress.kernels.nn.StageGradients;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * A whole small model of two blocks: the mean KL of its next tokens in f64, and the gradients of
 * all scales and norms by central differences, against a backward sweep block after block.
 */
@OnVectors
class EndLossGradientTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int WINDOW = 6;
  private static final int ROWS = 2 * WINDOW;
  private static final int VOCABULARY = 23;
  private static final int BLOCKS = 2;
  private static final double CAP = 5;
  private static final double HIDDEN_WEIGHT = 0.3;

  private final Random random = new Random(2);
  private final BlockShape shape = RandomBlock.shape(0);
  private final int hidden = shape.hidden();
  private final float[] x = Arrays64.gaussian(random, ROWS * hidden, 1);
  private final float[] norm = Arrays64.gaussian(random, hidden, 1);
  private final float[] table = Arrays64.gaussian(random, VOCABULARY * hidden, 0.5);
  private final List<BlockWeights> full = new ArrayList<>();
  private final List<BlockWeights> quantized = new ArrayList<>();
  private final List<Map<LinearRole, QuantizedLinear>> linears = new ArrayList<>();
  private final List<OracleBlock> oracles = new ArrayList<>();

  EndLossGradientTest() {
    for (int b = 0; b < BLOCKS; b++) {
      BlockWeights weights = RandomBlock.weights(shape, true, true, random);
      full.add(weights);
      Map<LinearRole, QuantizedLinear> its = new TreeMap<>();
      Map<LinearRole, float[]> dequantized = new TreeMap<>();
      weights
          .linears()
          .forEach(
              (role, w) -> {
                // Groups in some, rows as a whole in others.
                int group = role.label().length() % 2 == 0 ? 0 : shape.in(role) / 2;
                WeightScheme scheme = new WeightScheme(3, false, group);
                QuantizedLinear linear =
                    RoundToNearest.quantize(
                        w, shape.out(role), shape.in(role), scheme, ScaleFormat.F32, new MinMax());
                its.put(role, linear);
                dequantized.put(role, linear.dequantize());
              });
      linears.add(its);
      quantized.add(weights.with(dequantized));
      oracles.add(new OracleBlock(shape, WINDOW, ROWS, quantized.get(b), x));
    }
  }

  private static double[] logSoftmax(double[] stream, float[] norm, float[] table, int hidden) {
    double[] logp = new double[ROWS * VOCABULARY];
    for (int row = 0; row < ROWS; row++) {
      double squares = 0;
      for (int j = 0; j < hidden; j++) {
        squares += stream[row * hidden + j] * stream[row * hidden + j] / hidden;
      }
      double sum = 0;
      for (int v = 0; v < VOCABULARY; v++) {
        double logit = 0;
        for (int j = 0; j < hidden; j++) {
          logit +=
              norm[j]
                  * stream[row * hidden + j]
                  / Math.sqrt(squares + 1e-5)
                  * table[v * hidden + j];
        }
        logp[row * VOCABULARY + v] = CAP * Math.tanh(logit / CAP);
        sum += Math.exp(logp[row * VOCABULARY + v]);
      }
      for (int v = 0; v < VOCABULARY; v++) {
        logp[row * VOCABULARY + v] -= Math.log(sum);
      }
    }
    return logp;
  }

  /** The loss in f64: mean KL to p, and the hidden states' distance from those given. */
  private double loss(double[] p, double[][] states) {
    double[] stream = Arrays64.of(x);
    double sum = 0;
    for (int b = 0; b < BLOCKS; b++) {
      stream = oracles.get(b).output(stream);
      for (int i = 0; i < stream.length; i++) {
        sum += HIDDEN_WEIGHT * (stream[i] - states[b][i]) * (stream[i] - states[b][i]);
      }
    }
    double[] q = logSoftmax(stream, norm, table, hidden);
    for (int i = 0; i < q.length; i++) {
      boolean last = i / VOCABULARY % WINDOW == WINDOW - 1;
      sum += last ? 0 : Math.exp(p[i]) * (p[i] - q[i]) / HeadGradient.predicting(ROWS, WINDOW);
    }
    return sum;
  }

  private static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }

  /** What a sweep gathers in a block. */
  private final class Gathered implements BackwardObserver {
    private final int block;
    final Map<LinearRole, LinearGradient> linear = new TreeMap<>();
    final Map<BlockNorm, double[]> norms = new TreeMap<>();

    Gathered(int block) {
      this.block = block;
    }

    @Override
    public void stage(StageGradients stage, Workers workers) {
      for (StageGradients.Part part : stage.parts()) {
        QuantizedLinear its = linears.get(block).get(part.role());
        float[] bias = quantized.get(block).biases().get(part.role());
        LinearGradient gradient = LinearGradient.none(its, null, bias != null);
        gradient.add(stage, part, its, null, bias, MATMUL, workers);
        linear.put(part.role(), gradient);
      }
    }

    @Override
    public boolean norms() {
      return true;
    }

    @Override
    public void norm(BlockNorm which, double[] gradient) {
      norms.put(which, gradient);
    }
  }

  @Test
  void aBackwardSweepHasTheGradientsOfTheWholeModel() {
    double[][] states = new double[BLOCKS][];
    double[] stream = Arrays64.of(x);
    for (int b = 0; b < BLOCKS; b++) {
      stream = new OracleBlock(shape, WINDOW, ROWS, full.get(b), x).output(stream);
      states[b] = stream;
    }
    double[] p = logSoftmax(stream, norm, table, hidden);
    HeadRows head =
        (first, count) -> Arrays.copyOfRange(table, first * hidden, (first + count) * hidden);

    // Forward with the inputs of blocks kept, the head, and back.
    DecoderBlock block = new DecoderBlock(shape, WINDOW, MATMUL);
    BlockActivations a = new BlockActivations(shape, ROWS);
    float[][] inputs = new float[BLOCKS + 1][];
    inputs[0] = x;
    for (int b = 0; b < BLOCKS; b++) {
      System.arraycopy(inputs[b], 0, a.input(), 0, x.length);
      block.forward(quantized.get(b), ROWS, a, Workers.single());
      inputs[b + 1] = a.output().clone();
    }
    float[] dy = new float[x.length];
    double[] dNorm = new double[hidden];
    int predicting = HeadGradient.predicting(ROWS, WINDOW);
    double loss =
        new HeadGradient(hidden, VOCABULARY, CAP, 1e-5, MATMUL)
                .divergence(
                    new HeadGradient.Batch(inputs[BLOCKS], ROWS, WINDOW, norm, head),
                    new HeadGradient.Batch(narrow(stream), ROWS, WINDOW, norm, head),
                    1.0 / predicting,
                    dy,
                    dNorm,
                    Workers.single())
            / predicting;
    List<Gathered> gathered = new ArrayList<>();
    for (int b = BLOCKS - 1; b >= 0; b--) {
      loss += HiddenStates.add(inputs[b + 1], narrow(states[b]), x.length, HIDDEN_WEIGHT, dy);
      System.arraycopy(inputs[b], 0, a.input(), 0, x.length);
      block.forward(quantized.get(b), ROWS, a, Workers.single());
      Gathered its = new Gathered(b);
      float[] dx = new float[x.length];
      block.backward(
          quantized.get(b), a, dy, dx, new BlockGradients(shape, ROWS), its, Workers.single());
      gathered.add(0, its);
      dy = dx;
    }
    assertThat(loss).isCloseTo(loss(p, states), within(1e-4 * loss));

    for (int b = 0; b < BLOCKS; b++) {
      int number = b;
      gathered
          .get(b)
          .linear
          .forEach(
              (role, found) ->
                  Difference.assertWithin(
                      number + " " + role.label(),
                      narrow(found.logScales()),
                      ofScales(number, role, p, states),
                      1e-3));
      float[] w = quantized.get(b).inputNorm();
      Difference.assertWithin(
          "input norm",
          narrow(gathered.get(b).norms.get(BlockNorm.INPUT)),
          ofNorm(w, p, states),
          2e-3);
      float[] key = quantized.get(b).keyNorm();
      Difference.assertWithin(
          "key norm",
          narrow(gathered.get(b).norms.get(BlockNorm.KEY)),
          ofNorm(key, p, states),
          2e-3);
    }
    Difference.assertWithin("final norm", narrow(dNorm), ofNorm(norm, p, states), 2e-3);
    assertThat(gathered.get(0).linear).hasSize(7);
  }

  private double[] ofScales(int block, LinearRole role, double[] p, double[][] states) {
    double[] w = oracles.get(block).linears.get(role);
    QuantizedLinear linear = linears.get(block).get(role);
    int length = linear.groupLength();
    double[] wanted = new double[linear.steps().scales().length];
    double step = 1e-4;
    for (int k = 0; k < wanted.length; k++) {
      double[] before = Arrays.copyOfRange(w, k * length, (k + 1) * length);
      double[] losses = new double[2];
      for (int side = 0; side < 2; side++) {
        for (int i = 0; i < length; i++) {
          w[k * length + i] = before[i] * Math.exp(side == 0 ? step : -step);
        }
        losses[side] = loss(p, states);
      }
      System.arraycopy(before, 0, w, k * length, length);
      wanted[k] = (losses[0] - losses[1]) / (2 * step);
    }
    return wanted;
  }

  // Oracles read norms in f32, so the step is a power of two.
  private double[] ofNorm(float[] w, double[] p, double[][] states) {
    double[] wanted = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      float before = w[i];
      float up = before + 0x1p-11f;
      float down = before - 0x1p-11f;
      w[i] = up;
      double above = loss(p, states);
      w[i] = down;
      double below = loss(p, states);
      w[i] = before;
      wanted[i] = (above - below) / ((double) up - down);
    }
    return wanted;
  }

  /** A weight that is learned by its logarithm keeps its sign, and its dtype. */
  @Test
  void normsAreLearnedByTheirLogarithms() {
    float[] start = {1.5f, -0.25f, 0, 1.001f};
    float[] logs = {0.1f, 0.1f, 0.1f, 0};
    float[] w = new NormScales(start, logs, 0, ScaleFormat.BF16).weights();
    for (int i = 0; i < 3; i++) {
      assertThat((double) w[i])
          .isCloseTo(start[i] * Math.exp(0.1), within(0x1p-8 * Math.abs(start[i]) * 1.2));
      assertThat(w[i]).isEqualTo(ScaleFormat.BF16.round(w[i]));
    }
    assertThat(w[3]).isEqualTo(start[3]);
    float[] one = new NormScales(start, logs, 1, ScaleFormat.BF16).weights();
    assertThat(one[0] - 1).isEqualTo(ScaleFormat.BF16.round(one[0] - 1));
    assertThat(NormScales.gradient(new double[] {2, 3}, new float[] {0.5f, -1}))
        .containsExactly(1, -3);
  }
}
