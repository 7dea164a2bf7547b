package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.quant.ActivationStep;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationQuantizationTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final int WINDOW = 9;
  private static final int ROWS = 3 * WINDOW;
  private static final BlockShape SHAPE = RandomBlock.shape(0);
  private static final BlockWeights WEIGHTS = RandomBlock.weights(SHAPE, true, true, new Random(1));
  private static final float[] X = Arrays64.gaussian(new Random(2), ROWS * SHAPE.hidden(), 1);

  @Test
  void dynamicInputsAreRoundedTokenByToken() {
    check(
        new ActivationQuantization(new InputQuantization.PerToken(ActivationFormat.FP8_E4M3), null),
        new OracleBlock.Rounding() {
          @Override
          public double[] input(Stage stage, double[] values) {
            double[] rounded = values.clone();
            int width = values.length / ROWS;
            for (int row = 0; row < ROWS; row++) {
              double scale = absMax(values, row * width, width) / 448;
              for (int i = row * width; i < (row + 1) * width; i++) {
                rounded[i] = e4m3(values[i] / scale) * scale;
              }
            }
            return rounded;
          }
        });
  }

  /** Integers without the block, as a token's greatest magnitude is a tie, which f64 may break. */
  @Test
  void dynamicIntegersAreAtMostHalfAStepAway() {
    int width = 50;
    float[] x = Arrays64.gaussian(new Random(4), ROWS * width, 3);
    float[] found = new float[x.length];
    new InputQuantization.PerToken(ActivationFormat.INT8)
        .apply(Stage.DOWN, ROWS, width, x, found, Workers.single());
    for (int i = 0; i < x.length; i++) {
      double scale = absMax(Arrays64.of(x), i / width * width, width) / 127.5;
      double code = found[i] / scale;
      assertThat(code).isCloseTo(Math.rint(code), within(1e-4)).isBetween(-128.001, 127.001);
      assertThat(Math.abs(found[i] - x[i])).isLessThanOrEqualTo((float) (0.50001 * scale));
    }
  }

  @Test
  void staticInputsAreRoundedByTheirStagesStep() {
    ActivationStep first = new ActivationStep(ActivationFormat.INT8, 0.02f, 131);
    ActivationStep second = new ActivationStep(ActivationFormat.INT8, 0.013f, 128);
    ActivationStep third = new ActivationStep(ActivationFormat.FP8_E4M3, 0.01f, 128);
    check(
        new ActivationQuantization(
            new InputQuantization.PerTensor(
                Map.of(Stage.QKV, first, Stage.GATE_UP, second, Stage.DOWN, third)),
            null),
        new OracleBlock.Rounding() {
          @Override
          public double[] input(Stage stage, double[] values) {
            return switch (stage) {
              case QKV -> each(values, x -> integer(x, 0.02f, 131));
              case O -> values;
              case GATE_UP -> each(values, x -> integer(x, 0.013f, 128));
              case DOWN -> each(values, x -> e4m3(x / 0.01f) * 0.01f);
            };
          }
        });
  }

  @Test
  void keysAndValuesPerTokenBeforeTheRotation() {
    check(
        new ActivationQuantization(null, new KeyValueQuantization.PerToken()),
        new OracleBlock.Rounding() {
          @Override
          public double[] cached(boolean keys, boolean rotated, double[] values) {
            return rotated ? values : rowsAsymmetric(values);
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void keysAndValuesPerTensorAfterTheRotation(ActivationFormat format) {
    ActivationStep key = new ActivationStep(format, 0.02f, 128);
    ActivationStep value = new ActivationStep(format, 0.03f, 128);
    check(
        new ActivationQuantization(null, new KeyValueQuantization.PerTensor(key, value)),
        new OracleBlock.Rounding() {
          @Override
          public double[] cached(boolean keys, boolean rotated, double[] values) {
            double scale = keys ? 0.02f : 0.03f;
            DoubleUnaryOperator round =
                format == ActivationFormat.INT8
                    ? x -> integer(x, scale, 128)
                    : x -> e4m3(x / scale) * scale;
            return rotated ? each(values, round) : values;
          }
        });
  }

  @Test
  void nothingRoundedIsTheBlockItself() {
    float[] plain = run(block(), 1).output();
    assertThat(run(block().with(ActivationQuantization.NONE), 1).output()).isEqualTo(plain);
    InputQuantization none = new InputQuantization.PerTensor(Map.of());
    assertThat(run(block().with(new ActivationQuantization(none, null)), 1).output())
        .isEqualTo(plain);
  }

  @Test
  void theSameBitsForAnyThreads() {
    DecoderBlock block = block().with(dynamic());
    float[] one = run(block, 1).output();
    for (int threads = 2; threads <= 3; threads++) {
      assertThat(run(block, threads).output()).isEqualTo(one);
    }
  }

  /** The straight-through gradient is that of the block without rounding, but for its errors. */
  @Test
  void theBackwardPassTakesRoundingForNothing() {
    float[] dy = Arrays64.gaussian(new Random(3), X.length, 1);
    float[][] dx = new float[2][X.length];
    for (int i = 0; i < 2; i++) {
      DecoderBlock block = i == 0 ? block() : block().with(dynamic());
      BlockActivations a = run(block, 1);
      BlockGradients room = new BlockGradients(SHAPE, ROWS);
      block.backward(WEIGHTS, a, dy, dx[i], Map.of(), room, Workers.single());
    }
    Difference.assertWithin("∂loss/∂x", dx[1], dx[0], 0.3);
    double error = 0;
    double size = 0;
    for (int i = 0; i < X.length; i++) {
      error += Math.pow(dx[1][i] - dx[0][i], 2);
      size += Math.pow(dx[0][i], 2);
    }
    assertThat(Math.sqrt(error / size)).isBetween(1e-6, 0.05);
  }

  @Test
  void rangesOfAllThatIsRounded() {
    ActivationRanges ranges = new ActivationRanges();
    ActivationRanges other = new ActivationRanges();
    BlockActivations a = run(block(), 1);
    for (Stage stage : Stage.values()) {
      (stage == Stage.O ? other : ranges).observe(stage, SHAPE, a, Workers.single());
    }
    ranges.merge(other);
    assertThat(ranges.keys().absMax()).isEqualTo(absMax(a.key));
    assertThat(ranges.values().absMax()).isEqualTo(absMax(a.value));
    for (Stage stage : Stage.values()) {
      assertThat(ranges.stage(stage).absMax()).isEqualTo(absMax(a.stageInput(stage)));
    }
    KeyValueQuantization.PerTensor cache =
        (KeyValueQuantization.PerTensor) ranges.keyValues(ActivationFormat.FP8_E4M3);
    assertThat(cache.key().scale()).isEqualTo(absMax(a.key) / 448);
    assertThat(cache.value().scale()).isEqualTo(absMax(a.value) / 448);
    for (boolean symmetric : new boolean[] {true, false}) {
      float[] output =
          run(block().with(new ActivationQuantization(ranges.inputs(symmetric), cache)), 1)
              .output();
      Difference.assertWithin("static", output, run(block(), 1).output(), 0.3);
    }
  }

  @Test
  void stepsThatCannotBeAreRefused() {
    for (int zero : new int[] {-1, 256}) {
      assertThatThrownBy(() -> new ActivationStep(ActivationFormat.INT8, 1, zero))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new ActivationStep(ActivationFormat.FP8_E4M3, 1, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new ActivationStep(ActivationFormat.INT8, 0, 128))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Tokens of nothing stay nothing, and what is not a number is not hidden. */
  @Test
  void zeroTokensAndBrokenOnes() {
    for (ActivationFormat format : ActivationFormat.values()) {
      float[] x = new float[3 * 40];
      x[45] = Float.NaN;
      x[100] = 1e-42f;
      float[] found = new float[x.length];
      new InputQuantization.PerToken(format).apply(Stage.O, 3, 40, x, found, Workers.single());
      for (int i = 0; i < 40; i++) {
        assertThat(found[i]).isZero();
        assertThat(found[80 + i]).isBetween(0f, 1e-30f);
      }
      assertThat(found[45]).isNaN();
    }
  }

  private static void check(ActivationQuantization quantization, OracleBlock.Rounding rounding) {
    OracleBlock oracle = new OracleBlock(SHAPE, WINDOW, ROWS, WEIGHTS, X);
    double[] plain = oracle.output();
    oracle.rounding = rounding;
    BlockActivations a = run(block().with(quantization), 1);
    Difference.assertWithin("output", a.output(), oracle.output(), 1e-4);
    // What rounding changed is well above the tolerance.
    double change = 0;
    for (int i = 0; i < plain.length; i++) {
      change = Math.max(change, Math.abs(plain[i] - oracle.output()[i]));
    }
    assertThat(change).isGreaterThan(2e-3);
    assertThat(a.input()).isEqualTo(X);
    Difference.assertWithin(
        "QKV's input", a.stageInput(Stage.QKV), run(block(), 1).stageInput(Stage.QKV), 0);
  }

  private static ActivationQuantization dynamic() {
    return new ActivationQuantization(
        new InputQuantization.PerToken(ActivationFormat.INT8), new KeyValueQuantization.PerToken());
  }

  private static DecoderBlock block() {
    return new DecoderBlock(SHAPE, WINDOW, MATMUL);
  }

  private static BlockActivations run(DecoderBlock block, int threads) {
    BlockActivations a = new BlockActivations(SHAPE, true, ROWS);
    System.arraycopy(X, 0, a.input(), 0, X.length);
    try (Workers workers = Workers.of(threads)) {
      block.forward(WEIGHTS, ROWS, a, workers);
    }
    return a;
  }

  private static float absMax(float[] x) {
    return (float) absMax(Arrays64.of(x), 0, x.length);
  }

  private static double absMax(double[] x, int from, int length) {
    double absMax = 0;
    for (int i = from; i < from + length; i++) {
      absMax = Math.max(absMax, Math.abs(x[i]));
    }
    return absMax;
  }

  private static double[] each(double[] values, DoubleUnaryOperator round) {
    double[] rounded = new double[values.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = round.applyAsDouble(values[i]);
    }
    return rounded;
  }

  private static double[] rowsAsymmetric(double[] values) {
    double[] rounded = new double[values.length];
    int width = values.length / ROWS;
    for (int row = 0; row < ROWS; row++) {
      double low = 0;
      double high = 0;
      for (int i = row * width; i < (row + 1) * width; i++) {
        low = Math.min(low, values[i]);
        high = Math.max(high, values[i]);
      }
      double scale = (high - low) / 255;
      for (int i = row * width; i < (row + 1) * width; i++) {
        rounded[i] = integer(values[i], scale, Math.rint(-low / scale));
      }
    }
    return rounded;
  }

  private static double integer(double x, double scale, double zero) {
    return scale * (Math.min(Math.max(Math.rint(x / scale) + zero, 0), 255) - zero);
  }

  /** The nearest multiple of the spacing that the power of two below x has. */
  private static double e4m3(double x) {
    double power = Math.pow(2, Math.max(-6, Math.floor(Math.log(Math.abs(x)) / Math.log(2))));
    double rounded = Math.rint(x / (power / 8)) * (power / 8);
    return Math.min(Math.max(rounded, -448), 448);
  }
}
