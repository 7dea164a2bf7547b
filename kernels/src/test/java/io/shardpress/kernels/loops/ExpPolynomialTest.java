package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ExpPolynomialTest {
  @Test
  void withinOneUlpOverTheRange() {
    double worst = 0;
    Random random = new Random(1);
    for (int i = 0; i <= 1_000_000; i++) {
      float even = -87 + 175 * (i / 1e6f);
      worst = Math.max(worst, ulps(even));
      worst = Math.max(worst, ulps((float) (random.nextGaussian() * 2)));
    }
    assertThat(worst).isLessThan(1);
  }

  /** Where n changes, at odd multiples of ln 2 / 2, and around zero. */
  @Test
  void withinOneUlpAtTheSeams() {
    double worst = 0;
    for (int n = -124; n <= 125; n++) {
      float seam = (float) ((n + 0.5) * Math.log(2));
      for (float x = seam; x < seam + 20 * Math.ulp(seam); x = Math.nextUp(x)) {
        worst = Math.max(worst, ulps(x));
        worst = Math.max(worst, ulps(2 * seam - x));
      }
    }
    for (int e = -149; e < 0; e++) {
      worst = Math.max(worst, ulps(Math.scalb(1f, e)));
      worst = Math.max(worst, ulps(-Math.scalb(1f, e)));
    }
    assertThat(worst).isLessThan(1);
  }

  @Test
  void exactAtZeroAndLimitedBeyondTheRange() {
    assertThat(ExpPolynomial.of(0f)).isEqualTo(1);
    assertThat(ExpPolynomial.of(-0f)).isEqualTo(1);
    for (float x : new float[] {-87.5f, -1e4f, -Float.MAX_VALUE, Float.NEGATIVE_INFINITY}) {
      assertThat(ExpPolynomial.of(x)).as("e^%s", x).isEqualTo(0);
    }
    for (float x : new float[] {88.5f, 1e4f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
      assertThat(ExpPolynomial.of(x))
          .as("e^%s", x)
          .isEqualTo(ExpPolynomial.of(88))
          .isGreaterThan(1e38f);
    }
    assertThat(ExpPolynomial.of(Float.NaN)).isNaN();
  }

  /** 2⁻⁵⁰ is 8.9e-16, e^−34.7: products of what is left with gradients stay normal numbers. */
  @Test
  void nothingIsLeftBelowTheSmallest() {
    for (float x = -34.5f; x > -100; x -= 0.01f) {
      float found = ExpPolynomial.of(x);
      assertThat(found == 0 || found > 1e-23f).as("e^%s is %s", x, found).isTrue();
    }
    for (float x = -34.6575f; x < -34.657f; x = Math.nextUp(x)) {
      assertThat(ExpPolynomial.of(x)).as("e^%s", x).isNotNegative();
    }
    assertThat(ExpPolynomial.of(-34.7f)).isZero();
    assertThat(ExpPolynomial.of(-34.5f)).isPositive();
  }

  /** Errors in units in the last place; below 2⁻²⁴, what taking 2⁻⁵⁰ away may add comes on top. */
  private static double ulps(float x) {
    double wanted = StrictMath.exp(x);
    double ulp = Math.ulp((float) wanted);
    double allowed = wanted < 0x1p-24 ? 0x1p-50 + ulp / 2 : 0;
    return (Math.abs(ExpPolynomial.of(x) - wanted) - allowed) / ulp;
  }
}
