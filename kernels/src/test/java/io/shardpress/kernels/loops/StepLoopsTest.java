package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link LoopsTest}, for the steps' loops. */
class StepLoopsTest extends TwinsTest {
  private static Twins<StepLoops> twins;
  private static StepLoops scalar;
  private static StepLoops vector;

  @BeforeAll
  static void vectorsAreThere() {
    twins = Twins.of(ScalarStepLoops::new, VectorStepLoops::new);
    scalar = twins.scalar();
    vector = twins.vector();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8, 13, 16, 17, 31, 64, 207, 4098})
  void roundTripsHaveTheOraclesBits(int n) {
    for (int at : PLACES) {
      float[] x = gaussian(at + n + 3, 2);
      float[] y = gaussian(at + n + 3, 2);
      for (int i = 0; i < n; i += 3) {
        // Ties, and numbers beyond both ends.
        y[at + i] = 0.15f * (i - n / 2);
      }
      twins.compare(x, (loops, a) -> loops.roundTrip(y, a, at, n, 0.3f, 7, 15));
    }
  }

  /** Rounded on the way, a weight is what storing its code and reading it gives. */
  @ParameterizedTest
  @ValueSource(ints = {1, 13, 64, 207})
  void roundTripsAreStoringAndReading(int n) {
    for (int zero : new int[] {0, 7, 8, 15}) {
      float[] x = gaussian(n, 0.4);
      float scale = 2 * 0.9f / 15;
      x[0] = -0.9f;
      x[n / 2] = 1e30f;
      float[] found = new float[n];
      vector.roundTrip(x, found, 0, n, scale, zero, 15);
      for (int i = 0; i < n; i++) {
        int code = (int) Math.min(Math.max(Math.rint(x[i] / scale) + zero, 0), 15);
        assertThat(found[i]).isEqualTo(scale * (code - zero));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 13, 16, 207, 4098})
  void stepSumsDifferByRoundingAlone(int n) {
    for (int at : PLACES) {
      float[] x = gaussian(at + n + 1, 1);
      float[] importance = gaussian(n + 2, 1);
      for (float[] weights : new float[][] {null, importance}) {
        float[] found = new float[2];
        float[] wanted = new float[2];
        vector.stepSums(x, at, n, weights, 2, 0.2f, 7, 15, found);
        scalar.stepSums(x, at, n, weights, 2, 0.2f, 7, 15, wanted);
        double products = 0;
        double squares = 0;
        double size = 1;
        for (int i = 0; i < n; i++) {
          double q = Math.min(Math.max(Math.rint(x[at + i] / 0.2f), -7), 8);
          double weight = weights == null ? 1 : weights[2 + i];
          products += weight * q * x[at + i];
          squares += weight * q * q;
          size += q * q;
        }
        for (float[] sums : new float[][] {found, wanted}) {
          assertThat((double) sums[0]).isCloseTo(products, within(1e-6 * size));
          assertThat((double) sums[1]).isCloseTo(squares, within(1e-6 * size));
        }
      }
    }
  }
}
