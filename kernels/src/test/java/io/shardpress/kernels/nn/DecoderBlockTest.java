package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.model.LinearRole;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class DecoderBlockTest {
  private static final Matmul MATMUL = Matmuls.chosen();

  /** windows, tokens of a window, sliding window, biases, head norms. */
  @ParameterizedTest
  @CsvSource({
    "1,1,0,false,false",
    "2,7,0,false,false",
    "2,7,0,true,false",
    "2,7,0,false,true",
    "1,11,4,true,true"
  })
  void forwardAndGradients(
      int windows, int window, int sliding, boolean biases, boolean headNorms) {
    forwardAndGradients(RandomBlock.shape(sliding), windows, window, biases, headNorms);
  }

  /** windows, tokens of a window, sliding window, biases. */
  @ParameterizedTest
  @CsvSource({"1,1,0,false", "2,7,0,false", "1,11,4,true"})
  void fusedLinears(int windows, int window, int sliding, boolean biases) {
    forwardAndGradients(RandomBlock.fused(sliding), windows, window, biases, false);
  }

  /** windows, tokens of a window, sliding window, cap of scores, head norms. */
  @ParameterizedTest
  @CsvSource({
    "1,1,0,2,false",
    "2,7,0,2,false",
    "1,11,4,1.5,false",
    "2,70,0,0,true",
    "1,35,5,3,true"
  })
  void normedOutputs(int windows, int window, int sliding, double cap, boolean headNorms) {
    BlockShape shape = RandomBlock.normedOutputs(sliding, cap);
    forwardAndGradients(shape, windows, window, false, headNorms);
  }

  private static void forwardAndGradients(
      BlockShape shape, int windows, int window, boolean biases, boolean headNorms) {
    Random random = new Random(window);
    BlockWeights weights = RandomBlock.weights(shape, biases, headNorms, random);
    int rows = windows * window;
    float[] x = Arrays64.gaussian(random, rows * shape.hidden(), 1);
    float[] dy = Arrays64.gaussian(random, x.length, 1);
    OracleBlock oracle = new OracleBlock(shape, window, rows, weights, x);
    DoubleSupplier loss = () -> Arrays64.dot(oracle.output(), dy);

    DecoderBlock block = new DecoderBlock(shape, window, MATMUL);
    // Room for more rows than there are: a last batch may be short.
    BlockActivations a = new BlockActivations(shape, rows + window);
    BlockGradients room = new BlockGradients(shape, rows + window);
    System.arraycopy(x, 0, a.input(), 0, x.length);
    block.forward(weights, rows, a, Workers.single());
    Difference.assertWithin("output", a.output(), oracle.output(), 1e-5);

    Map<LinearRole, float[]> gradients = new TreeMap<>();
    for (LinearRole role : shape.linears()) {
      gradients.put(role, new float[shape.out(role) * shape.in(role)]);
    }
    float[] dx = new float[x.length];
    block.backward(weights, a, dy, dx, gradients, room, Workers.single());
    NumericGradient.check("x", loss, oracle.x, dx, 150, 1e-4);
    gradients.forEach(
        (role, found) -> {
          if (window == 1 && (role.equals(LinearRole.Q) || role.equals(LinearRole.K))) {
            // One key takes all attention whatever its score.
            assertThat(found)
                .as("∂loss/∂%s", role)
                .usingComparatorWithPrecision(1e-5f)
                .containsOnly(0);
          } else {
            NumericGradient.check(role.label(), loss, oracle.linears.get(role), found, 150, 1e-4);
          }
        });
  }

  /** A stage started from stored inputs goes on as if the stages before had just run. */
  @ParameterizedTest
  @CsvSource({"O", "GATE_UP", "DOWN"})
  void resumesInTheMiddle(Stage from) {
    BlockShape shape = RandomBlock.shape(0);
    Random random = new Random(1);
    BlockWeights weights = RandomBlock.weights(shape, true, true, random);
    int rows = 10;
    DecoderBlock block = new DecoderBlock(shape, 5, MATMUL);
    BlockActivations whole = new BlockActivations(shape, rows);
    float[] x = Arrays64.gaussian(random, rows * shape.hidden(), 1);
    System.arraycopy(x, 0, whole.input(), 0, x.length);
    block.forward(weights, rows, whole, Workers.single());

    BlockActivations later = new BlockActivations(shape, rows);
    copy(whole.stageInput(from), later.stageInput(from));
    if (from == Stage.O) {
      copy(x, later.input());
    } else {
      copy(whole.middle(), later.middle());
    }
    block.resume(rows, later);
    for (Stage stage : Stage.values()) {
      if (stage.compareTo(from) >= 0) {
        block.run(stage, weights, later, Workers.single());
      }
    }
    assertThat(later.output()).isEqualTo(whole.output());
  }

  @Test
  void theSameBitsForAnyThreads() {
    BlockShape shape = RandomBlock.shape(3);
    Random random = new Random(2);
    BlockWeights weights = RandomBlock.weights(shape, true, true, random);
    int rows = 4 * 33;
    float[] x = Arrays64.gaussian(random, rows * shape.hidden(), 1);
    float[] dy = Arrays64.gaussian(random, x.length, 1);
    float[] firstOutput = null;
    float[] firstGradient = null;
    for (int threads = 1; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        DecoderBlock block = new DecoderBlock(shape, 33, MATMUL);
        BlockActivations a = new BlockActivations(shape, rows);
        copy(x, a.input());
        block.forward(weights, rows, a, workers);
        float[] dx = new float[x.length];
        block.backward(weights, a, dy, dx, Map.of(), new BlockGradients(shape, rows), workers);
        if (threads == 1) {
          firstOutput = a.output();
          firstGradient = dx;
        }
        assertThat(a.output()).as("%s threads", threads).isEqualTo(firstOutput);
        assertThat(dx).as("%s threads", threads).isEqualTo(firstGradient);
      }
    }
  }

  @Test
  void refusesBrokenWindowsAndTooManyRows() {
    BlockShape shape = RandomBlock.shape(0);
    DecoderBlock block = new DecoderBlock(shape, 5, MATMUL);
    BlockActivations a = new BlockActivations(shape, 10);
    for (int rows : new int[] {7, 15}) {
      assertThatThrownBy(() -> block.resume(rows, a))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(rows + " rows")
          .hasMessageContaining("at most 10 in whole windows of 5");
    }
  }

  private static void copy(float[] from, float[] to) {
    System.arraycopy(from, 0, to, 0, from.length);
  }
}
