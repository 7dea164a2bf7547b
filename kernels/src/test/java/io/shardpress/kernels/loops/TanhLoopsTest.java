package io.shardpress.kernels.loops;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link LoopsTest}, for the loops of tanh. */
class TanhLoopsTest extends TwinsTest {
  private static Twins<TanhLoops> twins;

  @BeforeAll
  static void vectorsAreThere() {
    twins = Twins.of(ScalarTanhLoops::new, VectorTanhLoops::new);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void theOraclesBits(int n) {
    for (int at : PLACES) {
      float[] x = gaussian(at + n + 3, 20);
      float[] up = gaussian(x.length, 1);
      float[] dy = gaussian(x.length, 1);
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
}
