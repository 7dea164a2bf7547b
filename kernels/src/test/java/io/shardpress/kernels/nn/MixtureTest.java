package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.BlockTraits;
import io.shardpress.schemas.model.BlockTraits.Activation;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mixtures of experts, and attention and experts by themselves, against formulas in f64. */
@OnVectors
class MixtureTest {
  private static final int WINDOW = 7;
  private static final int ROWS = 2 * WINDOW;
  private static final int HIDDEN = 12;
  private static final int EXPERTS = 5;
  private static final int WIDTH = 9;
  private static final int SHARED_WIDTH = 14;

  private final Random random = new Random(3);

  private static BlockShape shape(int perToken, boolean renormalised, boolean shared) {
    return new BlockShape(
        HIDDEN,
        shared ? SHARED_WIDTH : WIDTH,
        4,
        2,
        6,
        1e-5,
        new Rotation(new double[] {1, 0.3, 0.05}),
        0,
        BlockTraits.plain(6),
        new MixtureShape(EXPERTS, perToken, WIDTH, renormalised, shared ? SHARED_WIDTH : 0));
  }

  private record Weights(float[] router, float[] sharedGate, Map<Integer, Expert> experts)
      implements MixtureWeights {
    @Override
    public Expert expert(int number) {
      return experts.get(number);
    }
  }

  private MixtureWeights weights(BlockShape shape) {
    Map<Integer, MixtureWeights.Expert> experts = new TreeMap<>();
    for (int number : shape.mixture().numbers()) {
      int width = shape.mixture().width(number);
      experts.put(
          number,
          new MixtureWeights.Expert(
              Arrays64.gaussian(random, width * HIDDEN, 0.4),
              Arrays64.gaussian(random, width * HIDDEN, 0.4),
              Arrays64.gaussian(random, width * HIDDEN, 0.4)));
    }
    return new Weights(
        Arrays64.gaussian(random, EXPERTS * HIDDEN, 0.5),
        Arrays64.gaussian(random, HIDDEN, 0.3),
        experts);
  }

  /** experts per token, whether weights add up to 1, whether one more is for all tokens. */
  @ParameterizedTest
  @CsvSource({"1,true,false", "2,true,false", "2,false,true", "5,false,false"})
  void forwardOfTheWholeBlock(int perToken, boolean renormalised, boolean shared) {
    BlockShape shape = shape(perToken, renormalised, shared);
    MixtureWeights experts = weights(shape);
    BlockShape dense = RandomBlock.shape(0);
    BlockWeights attention = RandomBlock.weights(dense, true, true, random);
    float[] x = Arrays64.gaussian(random, ROWS * HIDDEN, 1);

    DecoderBlock block = new DecoderBlock(shape, WINDOW, Matmuls.chosen());
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(attention.with(experts), ROWS, a, Workers.single());
    double[] wanted = output(shape, a.middle(), attention.postNorm(), experts, token -> token);
    Difference.assertWithin("output", a.output(), wanted, 1e-5);

    try (Workers workers = Workers.of(3)) {
      BlockActivations b = new BlockActivations(shape, ROWS);
      System.arraycopy(x, 0, b.input(), 0, x.length);
      block.forward(attention.with(experts), ROWS, b, workers);
      assertThat(b.output()).isEqualTo(a.output());
    }
  }

  /** What experts' linears read is rounded; routers and gates read their input as it is. */
  @Test
  void inputsOfExpertsAreRoundedAndThoseOfRoutersAreNot() {
    BlockShape shape = shape(2, false, true);
    MixtureWeights experts = weights(shape);
    BlockWeights attention = RandomBlock.weights(RandomBlock.shape(0), true, true, random);
    float[] x = Arrays64.gaussian(random, ROWS * HIDDEN, 1);
    InputQuantization eightBits = new InputQuantization.PerToken(ActivationFormat.FP8_E4M3);
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    new DecoderBlock(shape, WINDOW, Matmuls.chosen())
        .with(new ActivationQuantization(eightBits, null))
        .forward(attention.with(experts), ROWS, a, Workers.single());
    UnaryOperator<double[]> round =
        values -> {
          double scale = EightBitOracle.absMax(values, 0, values.length) / 448;
          return EightBitOracle.each(values, v -> EightBitOracle.e4m3(v / scale) * scale);
        };
    double[] wanted = output(shape, a.middle(), attention.postNorm(), experts, round);
    Difference.assertWithin("output", a.output(), wanted, 1e-5);
  }

  /** What the block has before the mixture is held against its formulas elsewhere. */
  private static double[] output(
      BlockShape shape,
      float[] before,
      float[] norm,
      MixtureWeights experts,
      UnaryOperator<double[]> round) {
    return output(shape, Arrays64.of(before), norm, experts, round);
  }

  private static double[] output(
      BlockShape shape,
      double[] middle,
      float[] norm,
      MixtureWeights experts,
      UnaryOperator<double[]> round) {
    double[] normed = Oracle.rmsNorm(ROWS, HIDDEN, middle, Arrays64.of(norm), 1e-5);
    double[] wanted = middle.clone();
    for (int row = 0; row < ROWS; row++) {
      double[] token = java.util.Arrays.copyOfRange(normed, row * HIDDEN, (row + 1) * HIDDEN);
      add(wanted, row, mixture(shape, experts, token, round));
    }
    return wanted;
  }

  /** Through attention, experts, their weights and the router: the whole block's loss in f64. */
  @ParameterizedTest
  @CsvSource({"1,true,false", "2,true,false", "2,false,true", "2,true,true", "5,false,false"})
  void gradientsOfTheWholeBlock(int perToken, boolean renormalised, boolean shared) {
    BlockShape shape = shape(perToken, renormalised, shared);
    MixtureWeights experts = weights(shape);
    BlockShape dense = RandomBlock.shape(0);
    BlockWeights attention = RandomBlock.weights(dense, true, true, random);
    float[] x = Arrays64.gaussian(random, ROWS * HIDDEN, 1);
    float[] dy = Arrays64.gaussian(random, x.length, 1);
    // Without a feed-forward the dense oracle gives what attention leaves.
    Map<LinearRole, float[]> linears = new TreeMap<>(attention.linears());
    linears.put(LinearRole.DOWN, new float[dense.hidden() * dense.ffn()]);
    Map<LinearRole, float[]> biases = new TreeMap<>(attention.biases());
    biases.remove(LinearRole.DOWN);
    BlockWeights half =
        new BlockWeights(
            linears,
            biases,
            attention.inputNorm(),
            attention.postNorm(),
            attention.queryNorm(),
            attention.keyNorm());
    OracleBlock oracle = new OracleBlock(dense, WINDOW, ROWS, half, x);
    DoubleSupplier loss =
        () ->
            Arrays64.dot(
                output(shape, oracle.output(), half.postNorm(), experts, token -> token), dy);

    DecoderBlock block = new DecoderBlock(shape, WINDOW, Matmuls.chosen());
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(half.with(experts), ROWS, a, Workers.single());
    float[] dx = new float[x.length];
    BackwardObserverTest.Kept kept = new BackwardObserverTest.Kept();
    BlockGradients g = new BlockGradients(shape, ROWS);
    block.backward(half.with(experts), a, dy, dx, g, kept, Workers.single());
    NumericGradient.check("x", loss, oracle.x, dx, 150, 1e-4);
    kept.weightGradients.forEach(
        (role, found) -> {
          float[] narrow = new float[found.length];
          for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) found[i];
          }
          if (role.kind().inAttention()) {
            double[] w = oracle.linears.get(role);
            NumericGradient.check(role.label(), loss, w, narrow, 60, 1e-4);
          } else {
            checkExpert(role, experts.expert(role.expert()), loss, narrow);
          }
        });
    int seen = kept.weightGradients.size();
    assertThat(seen).isBetween(4 + 3 * perToken, 4 + 3 * (EXPERTS + 1));

    try (Workers workers = Workers.of(3)) {
      float[] again = new float[x.length];
      BackwardObserver none = BackwardObserver.NONE;
      block.backward(half.with(experts), a, dy, again, g, none, workers);
      assertThat(again).isEqualTo(dx);
    }
  }

  // The oracle reads experts in f32, so the step is a power of two.
  private static void checkExpert(
      LinearRole role, MixtureWeights.Expert expert, DoubleSupplier loss, float[] gradient) {
    float[] w =
        switch (role.kind()) {
          case GATE -> expert.gate();
          case UP -> expert.up();
          default -> expert.down();
        };
    float step = 0x1p-11f;
    double[] wanted = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      float before = w[i];
      float up = before + step;
      float down = before - step;
      w[i] = up;
      double above = loss.getAsDouble();
      w[i] = down;
      double below = loss.getAsDouble();
      w[i] = before;
      wanted[i] = (above - below) / ((double) up - down);
    }
    Difference.assertWithin(role.label(), gradient, wanted, 2e-3);
  }

  private static void add(double[] all, int row, double[] y) {
    for (int i = 0; i < y.length; i++) {
      all[row * y.length + i] += y[i];
    }
  }

  private static double[] mixture(
      BlockShape shape, MixtureWeights weights, double[] x, UnaryOperator<double[]> round) {
    MixtureShape mixture = shape.mixture();
    double[] scores = Oracle.linear(1, HIDDEN, EXPERTS, x, Arrays64.of(weights.router()), null);
    double all = 0;
    for (double score : scores) {
      all += Math.exp(score);
    }
    boolean[] chosen = new boolean[EXPERTS];
    double sum = 0;
    for (int e = 0; e < EXPERTS; e++) {
      int better = 0;
      for (double score : scores) {
        better += score > scores[e] ? 1 : 0;
      }
      chosen[e] = better < mixture.perToken();
      sum += chosen[e] ? Math.exp(scores[e]) : 0;
    }
    double[] y = new double[HIDDEN];
    for (int e = 0; e < EXPERTS; e++) {
      if (chosen[e]) {
        double weight = Math.exp(scores[e]) / (mixture.renormalised() ? sum : all);
        addScaled(y, weight, expert(weights.expert(e), WIDTH, x, round));
      }
    }
    if (mixture.shared()) {
      double score = 0;
      for (int i = 0; i < HIDDEN; i++) {
        score += weights.sharedGate()[i] * x[i];
      }
      double open = 1 / (1 + Math.exp(-score));
      addScaled(y, open, expert(weights.expert(LinearRole.SHARED), SHARED_WIDTH, x, round));
    }
    return y;
  }

  private static void addScaled(double[] y, double weight, double[] x) {
    for (int i = 0; i < y.length; i++) {
      y[i] += weight * x[i];
    }
  }

  private static double[] expert(
      MixtureWeights.Expert w, int width, double[] token, UnaryOperator<double[]> round) {
    double[] x = round.apply(token);
    double[] gate = Oracle.linear(1, HIDDEN, width, x, Arrays64.of(w.gate()), null);
    double[] up = Oracle.linear(1, HIDDEN, width, x, Arrays64.of(w.up()), null);
    double[] inside = round.apply(Oracle.gated(Activation.SILU, gate, up));
    return Oracle.linear(1, width, HIDDEN, inside, Arrays64.of(w.down()), null);
  }

  @Test
  void ofEqualScoresTheFirstExpertsAreChosen() {
    Mixture mixture = new Mixture(shape(2, true, false), Matmuls.chosen());
    Routing routing =
        mixture.route(1, new float[HIDDEN], new float[EXPERTS * HIDDEN], Workers.single());
    assertThat(routing.experts()).containsExactly(0, 1);
    assertThat(routing.weights()).containsExactly(0.5f, 0.5f);
    assertThat(routing.rowsOf(4)).isEmpty();
  }

  /** The half of a block that learns by what it leaves in the residual stream. */
  @Test
  void gradientsOfAttentionAlone() {
    BlockShape shape = shape(2, true, false);
    BlockShape dense = RandomBlock.shape(0);
    BlockWeights weights = RandomBlock.weights(dense, true, true, random);
    // Without a feed-forward the dense oracle gives what attention leaves.
    Map<LinearRole, float[]> linears = new TreeMap<>(weights.linears());
    linears.put(LinearRole.DOWN, new float[dense.hidden() * dense.ffn()]);
    Map<LinearRole, float[]> biases = new TreeMap<>(weights.biases());
    biases.remove(LinearRole.DOWN);
    BlockWeights half =
        new BlockWeights(
            linears,
            biases,
            weights.inputNorm(),
            weights.postNorm(),
            weights.queryNorm(),
            weights.keyNorm());
    float[] x = Arrays64.gaussian(random, ROWS * HIDDEN, 1);
    float[] dy = Arrays64.gaussian(random, x.length, 1);
    OracleBlock oracle = new OracleBlock(dense, WINDOW, ROWS, half, x);
    DoubleSupplier loss = () -> Arrays64.dot(oracle.output(), dy);

    DecoderBlock block = new DecoderBlock(shape, WINDOW, Matmuls.chosen()).attentionOnly();
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(half, ROWS, a, Workers.single());
    Difference.assertWithin("middle", block.result(a), oracle.output(), 1e-5);
    Map<LinearRole, float[]> gradients = new TreeMap<>();
    for (LinearRole role : new LinearRole[] {LinearRole.Q, LinearRole.V, LinearRole.O}) {
      gradients.put(role, new float[shape.out(role) * shape.in(role)]);
    }
    float[] dx = new float[x.length];
    BlockGradients room = new BlockGradients(shape, ROWS);
    block.backward(half, a, dy, dx, gradients, room, Workers.single());
    NumericGradient.check("x", loss, oracle.x, dx, 150, 1e-4);
    gradients.forEach(
        (role, found) ->
            NumericGradient.check(role.label(), loss, oracle.linears.get(role), found, 150, 1e-4));
  }

  /** An expert's number; the shared one is wider. */
  @ParameterizedTest
  @ValueSource(ints = {3, LinearRole.SHARED})
  void gradientsOfAnExpertAlone(int number) {
    BlockShape shape = shape(2, true, true);
    int width = shape.mixture().width(number);
    MixtureWeights.Expert expert = weights(shape).expert(number);
    int tokens = 9;
    float[] x = Arrays64.gaussian(random, tokens * HIDDEN, 1);
    float[] dy = Arrays64.gaussian(random, x.length, 1);
    double[] wideX = Arrays64.of(x);
    double[] gate = Arrays64.of(expert.gate());
    double[] up = Arrays64.of(expert.up());
    double[] down = Arrays64.of(expert.down());
    java.util.function.Supplier<double[]> output =
        () -> {
          double[] g = Oracle.linear(tokens, HIDDEN, width, wideX, gate, null);
          double[] u = Oracle.linear(tokens, HIDDEN, width, wideX, up, null);
          double[] inside = Oracle.gated(Activation.SILU, g, u);
          return Oracle.linear(tokens, width, HIDDEN, inside, down, null);
        };
    DoubleSupplier loss = () -> Arrays64.dot(output.get(), dy);

    DecoderBlock block = DecoderBlock.expert(shape, number, Matmuls.chosen());
    BlockShape alone = block.shape();
    BlockActivations a = new BlockActivations(alone, tokens);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    BlockWeights weights =
        new BlockWeights(
            Map.of(
                LinearRole.GATE, expert.gate(),
                LinearRole.UP, expert.up(),
                LinearRole.DOWN, expert.down()),
            Map.of(),
            null,
            null,
            null,
            null);
    block.forward(weights, tokens, a, Workers.single());
    Difference.assertWithin("output", block.result(a), output.get(), 1e-5);
    Map<LinearRole, float[]> gradients = new TreeMap<>();
    weights.linears().forEach((role, w) -> gradients.put(role, new float[w.length]));
    float[] dx = new float[x.length];
    block.backward(
        weights, a, dy, dx, gradients, new BlockGradients(alone, tokens), Workers.single());
    NumericGradient.check("x", loss, wideX, dx, 100, 1e-4);
    NumericGradient.check("gate", loss, gate, gradients.get(LinearRole.GATE), 150, 1e-4);
    NumericGradient.check("up", loss, up, gradients.get(LinearRole.UP), 150, 1e-4);
    NumericGradient.check("down", loss, down, gradients.get(LinearRole.DOWN), 150, 1e-4);
  }
}
