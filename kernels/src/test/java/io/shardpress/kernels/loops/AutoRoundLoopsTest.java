package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link LoopsTest}, for AutoRound's loops. */
class AutoRoundLoopsTest extends TwinsTest {
  private static final float SCALE = 0.3f;
  private static final int ZERO = 7;
  private static final int LARGEST = 15;

  private static Twins<AutoRoundLoops> twins;

  @BeforeAll
  static void vectorsAreThere() {
    twins = Twins.of(ScalarAutoRoundLoops::new, VectorAutoRoundLoops::new);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void elementWiseLoopsHaveTheOraclesBits(int n) {
    for (int at : PLACES) {
      float[] w = weights(at + n + 3);
      float[] v = shifts(at + n + 3);
      float[] g = gradients(at + n + 3);
      twins.compare(
          new float[at + n + 3],
          (loops, a) -> loops.fakeQuantize(w, v, a, at, n, SCALE, ZERO, LARGEST));
      twins.compare(
          new float[at + n + 3],
          (loops, a) -> loops.gradients(g, w, v, a, at, n, SCALE, ZERO, LARGEST, new float[2]));
      twins.compare(v, (loops, a) -> loops.signStep(a, g, at, at + n, 0.02f, -0.5f, 0.5f));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 13, 16, 207, 4098})
  void sumsDifferByRoundingAlone(int n) {
    for (int at : PLACES) {
      float[] w = weights(at + n);
      float[] v = shifts(at + n);
      float[] g = gradients(at + n);
      float[] dv = new float[at + n];
      float[] wanted = new float[2];
      float[] found = new float[2];
      twins.scalar().gradients(g, w, v, dv, at, n, SCALE, ZERO, LARGEST, wanted);
      twins.vector().gradients(g, w, v, dv, at, n, SCALE, ZERO, LARGEST, found);
      assertThat(found[0]).isCloseTo(wanted[0], within(1e-5f * (n + 1)));
      assertThat(found[1]).isCloseTo(wanted[1], within(1e-5f * (n + 1)));
    }
  }

  /** By the formulas of the interface in f64. */
  @ParameterizedTest
  @ValueSource(ints = {1, 17, 207})
  void theOracleIsTheDefinition(int n) {
    float[] w = weights(n);
    float[] v = shifts(n);
    float[] g = gradients(n);
    float[] quantized = new float[n];
    float[] dv = new float[n];
    float[] sums = new float[2];
    AutoRoundLoops loops = twins.vector();
    loops.fakeQuantize(w, v, quantized, 0, n, SCALE, ZERO, LARGEST);
    loops.gradients(g, w, v, dv, 0, n, SCALE, ZERO, LARGEST, sums);
    double step = 0;
    double clamped = 0;
    for (int i = 0; i < n; i++) {
      double place = (double) w[i] / SCALE;
      double code = Math.rint(place + v[i]) + ZERO;
      boolean inside = code >= 0 && code <= LARGEST;
      double q = Math.min(Math.max(code, 0), LARGEST) - ZERO;
      assertThat((double) quantized[i]).isCloseTo(SCALE * q, within(1e-6));
      assertThat((double) dv[i]).isCloseTo(inside ? SCALE * g[i] : 0, within(1e-6));
      step += g[i] * (inside ? q - place : q);
      clamped += inside ? 0 : g[i];
    }
    assertThat((double) sums[0]).isCloseTo(step, within(1e-5 * (n + 1)));
    assertThat((double) sums[1]).isCloseTo(clamped, within(1e-5 * (n + 1)));
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 40})
  void stepsGoAgainstTheSignAndStayWithinBounds(int n) {
    float[] p = shifts(n);
    float[] g = gradients(n);
    float[] moved = p.clone();
    twins.vector().signStep(moved, g, 0, n, 0.125f, -0.5f, 0.5f);
    for (int i = 0; i < n; i++) {
      double wanted = Math.min(Math.max(p[i] - 0.125 * Math.signum(g[i]), -0.5), 0.5);
      assertThat((double) moved[i]).as("%s", i).isCloseTo(wanted, within(1e-7));
    }
  }

  /** Within the grid and beyond either of its ends. */
  private float[] weights(int length) {
    return gaussian(length, 2);
  }

  private float[] shifts(int length) {
    float[] v = new float[length];
    for (int i = 0; i < length; i++) {
      v[i] = random.nextFloat() - 0.5f;
    }
    return v;
  }

  /** A few of them zero. */
  private float[] gradients(int length) {
    float[] g = gaussian(length, 1);
    for (int i = 2; i < length; i += 5) {
      g[i] = 0;
    }
    return g;
  }
}
