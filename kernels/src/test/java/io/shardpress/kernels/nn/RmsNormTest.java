package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class RmsNormTest {
  @ParameterizedTest
  @CsvSource({"1,1,1e-5", "1,3,1e-6", "5,13,1e-5", "70,32,1e-5", "3,207,1e-3", "2,64,0.5"})
  void forwardAndGradient(int rows, int width, double epsilon) {
    Random random = new Random(width);
    float[] x = Arrays64.gaussian(random, rows * width, 0.7);
    float[] w = Arrays64.gaussian(random, width, 1);
    float[] dy = Arrays64.gaussian(random, rows * width, 1);
    float[] before = Arrays64.gaussian(random, rows * width, 1);
    double[] wideX = Arrays64.of(x);
    double[] wideW = Arrays64.of(w);

    float[] y = new float[rows * width];
    RmsNorm.forward(rows, width, x, w, epsilon, y, Workers.single());
    Difference.assertWithin("y", y, Oracle.rmsNorm(rows, width, wideX, wideW, epsilon), 1e-5);

    // The gradient is added to what dx holds: with before = 0 it is the gradient itself.
    float[] dx = new float[rows * width];
    RmsNorm.backward(rows, width, x, w, epsilon, dy, dx, Workers.single());
    // One element alone keeps its size: its gradient is near 0, a difference of terms near 1/x.
    double tolerance = width == 1 ? 0.1 : 1e-4;
    NumericGradient.check(
        "x",
        () -> Arrays64.dot(Oracle.rmsNorm(rows, width, wideX, wideW, epsilon), dy),
        wideX,
        dx,
        300,
        tolerance);
    float[] sum = before.clone();
    RmsNorm.backward(rows, width, x, w, epsilon, dy, sum, Workers.single());
    for (int i = 0; i < sum.length; i++) {
      before[i] += dx[i];
    }
    Difference.assertWithin("dx added", sum, before, 1e-6);
  }

  @ParameterizedTest
  @CsvSource({"1,8", "100,16"})
  void zeroRowsStayZero(int rows, int width) {
    float[] x = new float[rows * width];
    float[] y = Arrays64.gaussian(new Random(1), rows * width, 1);
    float[] w = Arrays64.gaussian(new Random(2), width, 1);
    RmsNorm.forward(rows, width, x, w, 1e-6, y, Workers.single());
    assertThat(y).usingComparatorWithPrecision(0f).containsOnly(0);
  }
}
