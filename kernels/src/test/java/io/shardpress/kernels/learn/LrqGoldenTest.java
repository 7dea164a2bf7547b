package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.matmul.Implementations;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.GoldenModel;
import io.shardpress.kernels.reference.TensorFile;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** LRQ's rounding of a trained weight, and its gradients, against independent float64 numbers. */
class LrqGoldenTest {
  private static final int RANK = 8;
  private static final List<String> PARAMETERS = List.of("L", "U", "r", "c", "d");

  static Stream<Arguments> cases() {
    List<GoldenModel> models = GoldenModel.all().toList();
    return Implementations.all().stream()
        .flatMap(matmul -> models.stream().map(model -> Arguments.of(model, matmul)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void roundingAndGradients(GoldenModel model, Matmul matmul) {
    TensorFile golden = model.golden();
    float[] zeros = golden.get("lrq.zero");
    int out = zeros.length;
    float[] w = golden.get("lrq.weight");
    int in = w.length / out;
    Steps start = new Steps(out, 1);
    Arrays.fill(start.scales(), 1);
    for (int row = 0; row < out; row++) {
      start.zeros()[row] = (int) zeros[row];
    }
    LrqLinear linear =
        new LrqLinear(
            w,
            out,
            in,
            new WeightScheme(4, false, 0),
            start,
            RANK,
            new SeededRandom(0, 0, ""),
            matmul,
            ScaleFormat.F32);
    for (int p = 0; p < PARAMETERS.size(); p++) {
      float[] values = golden.get("lrq." + PARAMETERS.get(p));
      assertThat(linear.parameters()[p]).hasSameSizeAs(values);
      System.arraycopy(values, 0, linear.parameters()[p], 0, values.length);
    }
    float[] found = linear.forward(Workers.single());
    float[] wanted = golden.get("lrq.dequantized");
    assertRounded(found, wanted, golden.get("lrq.d"), in);
    linear.backward(golden.get("lrq.upstream"), Workers.single());
    for (int p = 0; p < PARAMETERS.size(); p++) {
      String name = PARAMETERS.get(p);
      Difference.assertWithin(
          "∂loss/∂" + name, linear.gradients()[p], golden.get("lrq.grad." + name), 1e-3);
    }
  }

  // Two weights in 65,536 may lie so near a tie that f32 and f64 round them apart, by one step.
  private static void assertRounded(float[] found, float[] wanted, float[] d, int in) {
    int apart = 0;
    for (int i = 0; i < wanted.length; i++) {
      double scale = Math.exp(d[i / in]);
      double error = Math.abs(found[i] - wanted[i]) / scale;
      if (error > 1e-4) {
        apart++;
        assertThat(error).as("element %s, in steps", i).isBetween(0.999, 1.001);
      }
    }
    assertThat(apart).as("weights rounded apart").isLessThanOrEqualTo(2);
  }
}
