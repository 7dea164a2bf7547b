package io.shardpress.kernels.loops;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link LoopsTest}, for the loops of tanh. */
class TanhLoopsTest {
  private static Twins<TanhLoops> twins;
  private final Random random = new Random(9);

  @BeforeAll
  static void vectorsAreThere() {
    twins = Twins.of(ScalarTanhLoops::new, VectorTanhLoops::new);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void theOraclesBits(int n) {
    for (int at : new int[] {0, 1, 5, 16}) {
      float[] x = Arrays64.gaussian(random, at + n + 3, 20);
      float[] up = Arrays64.gaussian(random, x.length, 1);
      float[] dy = Arrays64.gaussian(random, x.length, 1);
      float[] other = new float[x.length];
      twins.compare(x.clone(), (loops, y) -> loops.geGlu(x, up, y, at, at + n));
      twins.compare(
          x.clone(), (loops, dx) -> loops.geGluBackward(x, up, dy, dx, other, at, at + n));
      twins.compare(
          x.clone(), (loops, du) -> loops.geGluBackward(x, up, dy, other, du, at, at + n));
      twins.compare(x, (loops, y) -> loops.softCap(y, at, at + n, 30));
      twins.compare(dy, (loops, dx) -> loops.softCapGradient(x, at, dx, at, n, 30));
    }
  }

  @Test
  void capsAreByTheirFormula() {
    float[] x = Arrays64.gaussian(random, 1000, 60);
    double[] wanted = new double[x.length];
    double[] slope = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      wanted[i] = 50 * Math.tanh(x[i] / 50.0);
      slope[i] = 1 - Math.pow(Math.tanh(x[i] / 50.0), 2);
    }
    float[] dx = new float[x.length];
    java.util.Arrays.fill(dx, 1);
    TanhLoops.chosen().softCap(x, 0, x.length, 50);
    Difference.assertWithin("capped", x, wanted, 1e-6);
    TanhLoops.chosen().softCapGradient(x, 0, dx, 0, x.length, 50);
    Difference.assertWithin("slope", dx, slope, 1e-6);
  }
}
