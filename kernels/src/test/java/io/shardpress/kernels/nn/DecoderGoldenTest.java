package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Implementations;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.GoldenModel;
import io.shardpress.schemas.model.LinearRole;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Blocks of trained models against an independent float64 implementation. */
class DecoderGoldenTest {
  private static final int WINDOWS = 2;
  private static final int TOKENS = 48;
  private static final int ROWS = WINDOWS * TOKENS;
  private static final double FORWARD = 1e-4;
  private static final double BACKWARD = 1e-3;

  static Stream<Arguments> cases() {
    List<GoldenModel> models = GoldenModel.all().toList();
    return Implementations.all().stream()
        .flatMap(matmul -> models.stream().map(model -> Arguments.of(model, matmul)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void blocksLogitsAndLoss(GoldenModel model, Matmul matmul) {
    BlockShape shape = BlockShape.of(model.config(), 0);
    DecoderBlock block = new DecoderBlock(shape, TOKENS, matmul);
    BlockActivations a = new BlockActivations(shape, ROWS);
    float[] x = embedded(model, shape.hidden());
    Difference.assertWithin("block 0 input", x, model.golden().get("block.0.input"), 1e-7);
    for (int i = 0; i < model.config().layers(); i++) {
      System.arraycopy(x, 0, a.input(), 0, x.length);
      block.forward(GoldenBlocks.weights(model, i), ROWS, a, Workers.single());
      System.arraycopy(a.output(), 0, x, 0, x.length);
      float[] wanted = model.golden().get("block." + i + ".output");
      Difference.assertWithin("block " + i + " output", x, wanted, FORWARD);
    }
    double[] logits = logits(model, x, shape.hidden());
    float[] wanted = model.golden().get("logits");
    float[] found = new float[wanted.length];
    for (int i = 0; i < found.length; i++) {
      found[i] = (float) logits[i];
    }
    Difference.assertWithin("logits", found, wanted, FORWARD);
    assertThat(meanNll(model, logits)).isCloseTo(model.golden().get("mean_nll")[0], within(1e-5));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void gradientsOfBlockOne(GoldenModel model, Matmul matmul) {
    BlockShape shape = BlockShape.of(model.config(), 0);
    DecoderBlock block = new DecoderBlock(shape, TOKENS, matmul);
    BlockWeights weights = GoldenBlocks.weights(model, 1);
    BlockActivations a = new BlockActivations(shape, ROWS);
    float[] x = model.golden().get("block.0.output");
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(weights, ROWS, a, Workers.single());

    float[] target = model.golden().get("grad.target");
    float[] dy = new float[target.length];
    double share = 1.0 / (WINDOWS * shape.hidden());
    double loss = 0;
    for (int i = 0; i < dy.length; i++) {
      double error = (double) a.output()[i] - target[i];
      loss += error * error * share;
      dy[i] = (float) (2 * error * share);
    }
    double wanted = model.golden().get("grad.loss")[0];
    assertThat(loss).isCloseTo(wanted, within(1e-4 * wanted));

    Map<LinearRole, float[]> gradients = new TreeMap<>();
    for (LinearRole role : LinearRole.SEPARATE) {
      gradients.put(role, new float[shape.out(role) * shape.in(role)]);
    }
    float[] dx = new float[x.length];
    block.backward(
        weights, a, dy, dx, gradients, new BlockGradients(shape, ROWS), Workers.single());
    gradients.forEach(
        (role, found) ->
            Difference.assertWithin(
                "∂loss/∂" + role,
                found,
                model.golden().get("grad." + role.label().substring(0, 1)),
                BACKWARD));
    Difference.assertWithin("∂loss/∂x", dx, model.golden().get("grad.input"), BACKWARD);
  }

  private static float[] embedded(GoldenModel model, int hidden) {
    float[] tokens = model.golden().get("tokens");
    float[] table = model.weights().get(model.names().embed());
    float[] x = new float[tokens.length * hidden];
    for (int t = 0; t < tokens.length; t++) {
      System.arraycopy(table, ((int) tokens[t]) * hidden, x, t * hidden, hidden);
    }
    return x;
  }

  // The final norm and the tied output projection are not the block's: here in f64.
  private static double[] logits(GoldenModel model, float[] x, int hidden) {
    double[] norm = Arrays64.of(model.weights().get(model.names().finalNorm()));
    double[] normed =
        Oracle.rmsNorm(ROWS, hidden, Arrays64.of(x), norm, model.config().rmsNormEps());
    double[] table = Arrays64.of(model.weights().get(model.names().embed()));
    return Oracle.linear(ROWS, hidden, model.config().vocabSize(), normed, table, null);
  }

  private static double meanNll(GoldenModel model, double[] logits) {
    float[] tokens = model.golden().get("tokens");
    int vocabulary = model.config().vocabSize();
    double sum = 0;
    for (int window = 0; window < WINDOWS; window++) {
      for (int t = 0; t + 1 < TOKENS; t++) {
        int row = window * TOKENS + t;
        double total = 0;
        for (int v = 0; v < vocabulary; v++) {
          total += Math.exp(logits[row * vocabulary + v]);
        }
        sum += Math.log(total) - logits[row * vocabulary + (int) tokens[row + 1]];
      }
    }
    return sum / (WINDOWS * (TOKENS - 1));
  }
}
