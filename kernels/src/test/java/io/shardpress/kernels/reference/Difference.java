package io.shardpress.kernels.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** The largest error of an array, as a share of the wanted values' root mean square. */
public final class Difference {
  private Difference() {}

  /** Asserts that no element is off by more than {@code tolerance} times the rms of the wanted. */
  public static void assertWithin(String what, float[] found, double[] wanted, double tolerance) {
    assertThat(found.length).as(what).isGreaterThanOrEqualTo(wanted.length);
    double squares = 0;
    int worst = 0;
    for (int i = 0; i < wanted.length; i++) {
      squares += wanted[i] * wanted[i];
      // NaN counts as the worst of all.
      if (!(Math.abs(found[i] - wanted[i]) <= Math.abs(found[worst] - wanted[worst]))) {
        worst = i;
      }
    }
    double rms = Math.sqrt(squares / Math.max(1, wanted.length));
    if (wanted.length > 0) {
      assertThat((double) found[worst])
          .as("%s[%s], rms %s", what, worst, rms)
          .isCloseTo(wanted[worst], within(tolerance * rms + 1e-30));
    }
  }

  /** As above with wanted numbers that are stored in f32. */
  public static void assertWithin(String what, float[] found, float[] wanted, double tolerance) {
    assertWithin(what, found, Arrays64.of(wanted), tolerance);
  }
}
