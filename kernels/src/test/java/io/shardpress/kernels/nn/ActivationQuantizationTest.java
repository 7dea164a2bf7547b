package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ActivationFormat;
import io.shardpress.kernels.quant.ActivationStep;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@OnVectors
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
              double scale = EightBitOracle.absMax(values, row * width, width) / 448;
              for (int i = row * width; i < (row + 1) * width; i++) {
                rounded[i] = EightBitOracle.e4m3(values[i] / scale) * scale;
              }
            }
            return rounded;
          }
        });
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
              case QKV -> EightBitOracle.each(values, x -> EightBitOracle.integer(x, 0.02f, 131));
              case O -> values;
              case GATE_UP ->
                  EightBitOracle.each(values, x -> EightBitOracle.integer(x, 0.013f, 128));
              case DOWN -> EightBitOracle.each(values, x -> EightBitOracle.e4m3(x / 0.01f) * 0.01f);
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
            return rotated ? values : EightBitOracle.rowsAsymmetric(values, ROWS);
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
                    ? x -> EightBitOracle.integer(x, scale, 128)
                    : x -> EightBitOracle.e4m3(x / scale) * scale;
            return rotated ? EightBitOracle.each(values, round) : values;
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
    assertThat(ranges.keys().absMax()).isEqualTo(EightBitOracle.absMax(a.key()));
    assertThat(ranges.values().absMax()).isEqualTo(EightBitOracle.absMax(a.value()));
    for (Stage stage : Stage.values()) {
      assertThat(ranges.stage(stage).absMax())
          .isEqualTo(EightBitOracle.absMax(a.stageInput(stage)));
    }
    KeyValueQuantization.PerTensor cache =
        (KeyValueQuantization.PerTensor) ranges.keyValues(ActivationFormat.FP8_E4M3);
    assertThat(cache.key().scale()).isEqualTo(EightBitOracle.absMax(a.key()) / 448);
    assertThat(cache.value().scale()).isEqualTo(EightBitOracle.absMax(a.value()) / 448);
    for (boolean symmetric : new boolean[] {true, false}) {
      float[] output =
          run(block().with(new ActivationQuantization(ranges.inputs(symmetric), cache)), 1)
              .output();
      Difference.assertWithin("static", output, run(block(), 1).output(), 0.3);
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
    BlockActivations a = new BlockActivations(SHAPE, ROWS);
    System.arraycopy(X, 0, a.input(), 0, X.length);
    try (Workers workers = Workers.of(threads)) {
      block.forward(WEIGHTS, ROWS, a, workers);
    }
    return a;
  }
}
