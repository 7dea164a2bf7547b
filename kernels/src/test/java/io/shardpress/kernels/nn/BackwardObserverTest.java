package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.GoldenModel;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.LinearRole;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What observers of a backward pass see, in every kind of block. */
@OnVectors
class BackwardObserverTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int WINDOW = 7;
  private static final int ROWS = 2 * WINDOW;

  /** A block, and whether it has biases and head norms. */
  record Kind(String name, BlockShape shape, boolean biases, boolean headNorms) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Kind> kinds() {
    return Stream.of(
        new Kind("as Llama's", RandomBlock.shape(0), false, false),
        new Kind("as Qwen3's, sliding", RandomBlock.shape(4), true, true),
        new Kind("as Phi-3's", RandomBlock.fused(0), true, false),
        new Kind("as Gemma's", RandomBlock.normedOutputs(0, 2), false, true));
  }

  /** Keeps copies of all that comes. */
  static final class Kept implements BackwardObserver {
    final List<Stage> stages = new ArrayList<>();
    final Map<LinearRole, double[]> weightGradients = new TreeMap<>();
    final Map<LinearRole, float[]> outputs = new TreeMap<>();
    final Map<BlockNorm, double[]> norms = new TreeMap<>();

    @Override
    public void stage(StageGradients stage, Workers workers) {
      stages.add(stage.stage());
      float[] stacked = stage.stacked(workers);
      int first = 0;
      for (StageGradients.Part part : stage.parts()) {
        double[] gradient = new double[part.out() * stage.in()];
        for (int t = 0; t < stage.tokens(); t++) {
          for (int i = 0; i < part.out(); i++) {
            float g = part.gradient()[t * part.out() + i];
            assertThat(stacked[t * stage.out() + first + i]).isEqualTo(g);
            for (int j = 0; j < stage.in(); j++) {
              gradient[i * stage.in() + j] += (double) g * stage.inputs()[t * stage.in() + j];
            }
          }
        }
        weightGradients.put(part.role(), gradient);
        if (part.output() != null) {
          outputs.put(part.role(), part.output().clone());
        }
        first += part.out();
      }
    }

    @Override
    public boolean norms() {
      return true;
    }

    @Override
    public void norm(BlockNorm norm, double[] gradient) {
      norms.put(norm, gradient);
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void gradientsTimesInputsAreTheWeights(Kind kind) {
    BlockShape shape = kind.shape;
    Random random = new Random(5);
    BlockWeights weights = RandomBlock.weights(shape, kind.biases, kind.headNorms, random);
    float[] x = Arrays64.gaussian(random, ROWS * shape.hidden(), 1);
    float[] dy = Arrays64.gaussian(random, x.length, 1);
    DecoderBlock block = new DecoderBlock(shape, WINDOW, MATMUL);
    BlockActivations a = new BlockActivations(shape, ROWS + WINDOW);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(weights, ROWS, a, Workers.single());
    BlockGradients g = new BlockGradients(shape, ROWS + WINDOW);
    float[] plain = new float[x.length];
    Map<LinearRole, float[]> gradients = new TreeMap<>();
    shape
        .linears()
        .forEach(role -> gradients.put(role, new float[shape.out(role) * shape.in(role)]));
    block.backward(weights, a, dy, plain, gradients, g, Workers.single());

    Kept kept = new Kept();
    float[] dx = new float[x.length];
    block.backward(weights, a, dy, dx, g, kept, Workers.single());
    assertThat(dx).isEqualTo(plain);
    assertThat(kept.stages).containsExactly(Stage.DOWN, Stage.GATE_UP, Stage.O, Stage.QKV);
    assertThat(kept.weightGradients.keySet()).isEqualTo(gradients.keySet());
    gradients.forEach(
        (role, found) ->
            Difference.assertWithin(role.label(), found, kept.weightGradients.get(role), 1e-4));

    // Without the input's gradient all the same.
    Kept again = new Kept();
    block.backward(weights, a, dy, null, g, again, Workers.single());
    again.weightGradients.forEach(
        (role, gradient) -> assertThat(gradient).isEqualTo(kept.weightGradients.get(role)));
    again.norms.forEach((norm, gradient) -> assertThat(gradient).isEqualTo(kept.norms.get(norm)));
    assertThat(again.norms.keySet()).isEqualTo(kept.norms.keySet());
  }

  /** y = W·x + b of every linear that says it kept its output. */
  @ParameterizedTest
  @MethodSource("kinds")
  void outputsAreWhatLinearsGive(Kind kind) {
    BlockShape shape = kind.shape;
    Random random = new Random(6);
    BlockWeights weights = RandomBlock.weights(shape, kind.biases, kind.headNorms, random);
    float[] x = Arrays64.gaussian(random, ROWS * shape.hidden(), 1);
    DecoderBlock block = new DecoderBlock(shape, WINDOW, MATMUL);
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(weights, ROWS, a, Workers.single());
    Kept kept = new Kept();
    BlockGradients g = new BlockGradients(shape, ROWS);
    block.backward(weights, a, x, null, g, kept, Workers.single());
    assertThat(kept.outputs).isNotNull();
    kept.outputs.forEach(
        (role, output) -> {
          float[] bias = weights.biases().get(role);
          double[] wanted =
              Oracle.linear(
                  ROWS,
                  shape.in(role),
                  shape.out(role),
                  Arrays64.of(a.stageInput(Stage.of(role))),
                  Arrays64.of(weights.linear(role)),
                  bias == null ? null : Arrays64.of(bias));
          Difference.assertWithin(role.label(), output, wanted, 1e-5);
        });
    assertThat(kept.outputs.keySet()).hasSizeGreaterThanOrEqualTo(shape.traits().fused() ? 0 : 3);
  }

  /** Norms' gradients by central differences of the block in f64. */
  @ParameterizedTest
  @MethodSource("kinds")
  void gradientsOfNorms(Kind kind) {
    BlockShape shape = kind.shape;
    Random random = new Random(7);
    BlockWeights weights = RandomBlock.weights(shape, kind.biases, kind.headNorms, random);
    float[] x = Arrays64.gaussian(random, ROWS * shape.hidden(), 1);
    float[] dy = Arrays64.gaussian(random, x.length, 1);
    DecoderBlock block = new DecoderBlock(shape, WINDOW, MATMUL);
    BlockActivations a = new BlockActivations(shape, ROWS);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(weights, ROWS, a, Workers.single());
    Kept kept = new Kept();
    BlockGradients g = new BlockGradients(shape, ROWS);
    block.backward(weights, a, dy, null, g, kept, Workers.single());
    Map<BlockNorm, float[]> norms = new TreeMap<>();
    norms.put(BlockNorm.INPUT, weights.inputNorm());
    norms.put(BlockNorm.POST, weights.postNorm());
    if (kind.headNorms) {
      norms.put(BlockNorm.QUERY, weights.queryNorm());
      norms.put(BlockNorm.KEY, weights.keyNorm());
    }
    if (weights.outputNorms() != null) {
      norms.put(BlockNorm.ATTENTION_OUTPUT, weights.outputNorms().attention());
      norms.put(BlockNorm.FEED_FORWARD_OUTPUT, weights.outputNorms().feedForward());
    }
    assertThat(kept.norms.keySet()).isEqualTo(norms.keySet());
    OracleBlock oracle = new OracleBlock(shape, WINDOW, ROWS, weights, x);
    // The oracle reads norms in f32, so the step is a power of two.
    float step = 0x1p-11f;
    norms.forEach(
        (norm, w) -> {
          double[] wanted = new double[w.length];
          float[] found = new float[w.length];
          for (int i = 0; i < w.length; i++) {
            float before = w[i];
            float up = before + step;
            float down = before - step;
            w[i] = up;
            double above = Arrays64.dot(oracle.output(), dy);
            w[i] = down;
            double below = Arrays64.dot(oracle.output(), dy);
            w[i] = before;
            wanted[i] = (above - below) / ((double) up - down);
            found[i] = (float) kept.norms.get(norm)[i];
          }
          Difference.assertWithin(norm.toString(), found, wanted, 1e-3);
        });
  }

  /** Held against the gradients of trained blocks, by an independent float64 implementation. */
  @ParameterizedTest
  @MethodSource("io.shardpress.kernels.reference.GoldenModel#all")
  void gradientsOfTrainedBlocks(GoldenModel model) {
    int window = 48;
    int rows = 2 * window;
    BlockShape shape = BlockShape.of(model.config(), 0);
    DecoderBlock block = new DecoderBlock(shape, window, MATMUL);
    BlockWeights weights = GoldenBlocks.weights(model, 1);
    BlockActivations a = new BlockActivations(shape, rows);
    float[] x = model.golden().get("block.0.output");
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(weights, rows, a, Workers.single());
    float[] target = model.golden().get("grad.target");
    float[] dy = new float[target.length];
    for (int i = 0; i < dy.length; i++) {
      dy[i] = (float) (2 * ((double) a.output()[i] - target[i]) / (2 * shape.hidden()));
    }
    Kept kept = new Kept();
    float[] dx = new float[x.length];
    block.backward(weights, a, dy, dx, new BlockGradients(shape, rows), kept, Workers.single());
    kept.weightGradients.forEach(
        (role, found) -> {
          float[] narrow = new float[found.length];
          for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) found[i];
          }
          float[] wanted = model.golden().get("grad." + role.label().substring(0, 1));
          Difference.assertWithin(role.label(), narrow, wanted, 1e-3);
        });
    Difference.assertWithin("∂loss/∂x", dx, model.golden().get("grad.input"), 1e-3);
  }

  @Test
  void normsAreNotAskedForUnlessWanted() {
    BlockShape shape = RandomBlock.shape(0);
    Random random = new Random(7);
    BlockWeights weights = RandomBlock.weights(shape, false, true, random);
    DecoderBlock block = new DecoderBlock(shape, WINDOW, MATMUL);
    BlockActivations a = new BlockActivations(shape, ROWS);
    float[] x = Arrays64.gaussian(random, ROWS * shape.hidden(), 1);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(weights, ROWS, a, Workers.single());
    List<Stage> stages = new ArrayList<>();
    BackwardObserver observer =
        new BackwardObserver() {
          @Override
          public void stage(StageGradients stage, Workers workers) {
            stages.add(stage.stage());
          }

          @Override
          public void norm(BlockNorm norm, double[] gradient) {
            throw new AssertionError(norm + " was not asked for");
          }
        };
    block.backward(
        weights, a, x, null, new BlockGradients(shape, ROWS), observer, Workers.single());
    assertThat(stages).hasSize(4);
  }
}
