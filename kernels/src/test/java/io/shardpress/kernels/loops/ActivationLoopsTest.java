package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link LoopsTest}, for the activations' loops. */
class ActivationLoopsTest extends TwinsTest {
  private static Twins<ActivationLoops> twins;

  @BeforeAll
  static void vectorsAreThere() {
    twins = Twins.of(ScalarActivationLoops::new, VectorActivationLoops::new);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void theOraclesBits(int n) {
    for (int at : PLACES) {
      float[] x = gaussian(at + n + 3, 2);
      for (int i = 0; i < n; i++) {
        x[at + i] *= (float) Math.exp(4 * random.nextGaussian());
      }
      twins.compare(x, (loops, a) -> loops.fakeQuantizeE4m3(a, a, at, n, 0.3f));
      twins.compare(x, (loops, a) -> loops.fakeQuantizeE4m3(x, a, at, n, 1e-30f));
      twins.compare(new float[2], (loops, range) -> loops.range(x, at, n, range));
      float least = Float.POSITIVE_INFINITY;
      float greatest = Float.NEGATIVE_INFINITY;
      for (int i = at; i < at + n; i++) {
        least = x[i] < least ? x[i] : least;
        greatest = x[i] > greatest ? x[i] : greatest;
      }
      float[] range = new float[2];
      twins.vector().range(x, at, n, range);
      assertThat(range).containsExactly(least, greatest);
      for (int i = 0; i < n; i += 5) {
        float[] broken = x.clone();
        broken[at + i] = Float.NaN;
        twins.compare(broken, (loops, a) -> loops.fakeQuantizeE4m3(a, a, at, n, 0.3f));
        twins.vector().range(broken, at, n, range);
        assertThat(range).containsExactly(Float.NaN, Float.NaN);
      }
    }
  }

  /** Against the list of all numbers that the format has, by its definition bit for bit. */
  @Test
  void e4m3IsTheNearestNumberOfTheFormatTiesToEven() {
    float[] numbers = new float[127];
    for (int code = 0; code < 127; code++) {
      int exponent = code >> 3;
      int mantissa = code & 7;
      numbers[code] =
          exponent == 0
              ? (float) (mantissa / 8.0 * Math.pow(2, -6))
              : (float) ((1 + mantissa / 8.0) * Math.pow(2, exponent - 7));
    }
    assertThat(numbers[126]).isEqualTo(448);
    float[] x = new float[20_000];
    int n = 0;
    for (int code = 0; code < 126; code++) {
      float middle = (numbers[code] + numbers[code + 1]) / 2;
      for (float value :
          new float[] {numbers[code], middle, Math.nextUp(middle), Math.nextDown(middle)}) {
        x[n++] = value;
      }
    }
    x[n++] = 448;
    x[n++] = 460;
    x[n++] = 1e30f;
    x[n++] = Float.POSITIVE_INFINITY;
    x[n++] = 1e-40f;
    while (n < x.length) {
      x[n++] = (float) Math.exp(random.nextGaussian() * 4);
    }
    for (float scale : new float[] {1, 0.25f}) {
      for (int sign : new int[] {1, -1}) {
        float[] scaled = new float[x.length];
        for (int i = 0; i < x.length; i++) {
          scaled[i] = x[i] * scale * sign;
        }
        float[] found = new float[x.length];
        twins.vector().fakeQuantizeE4m3(scaled, found, 0, x.length, scale);
        for (int i = 0; i < x.length; i++) {
          float wanted = sign * scale * nearest(numbers, scaled[i] / scale * sign);
          assertThat(found[i]).as("%s", scaled[i]).isEqualByComparingTo(wanted + 0f);
        }
      }
    }
  }

  private static float nearest(float[] numbers, float x) {
    int best = 0;
    for (int code = 1; code < numbers.length; code++) {
      double now = Math.abs((double) numbers[code] - x);
      double before = Math.abs((double) numbers[best] - x);
      if (now < before || (now == before && code % 2 == 0)) {
        best = code;
      }
    }
    return numbers[best];
  }
}
