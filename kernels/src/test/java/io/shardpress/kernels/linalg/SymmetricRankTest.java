package io.shardpress.kernels.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.matmul.Implementations;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.ScalarMatmul;
import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SymmetricRankTest {
  static Stream<Matmul> implementations() {
    return Implementations.all().stream();
  }

  /** |h − wanted| ≤ (rows + 4)·2⁻²⁴·(|H₀| + Σ|x||x|), and H stays bitwise symmetric. */
  @ParameterizedTest
  @MethodSource("implementations")
  void addsTheMomentsOfAllRows(Matmul matmul) {
    for (int n : new int[] {1, 3, 33, 207, 600, 1300}) {
      for (int rows : new int[] {1, 5, 64}) {
        int offset = 7;
        Random random = new Random(n + rows);
        float[] x = new float[offset + rows * n];
        for (int i = 0; i < x.length; i++) {
          x[i] = (float) random.nextGaussian();
        }
        float[] first = null;
        for (int threads = 1; threads <= 3; threads++) {
          float[] h = before(n);
          try (Workers workers = Workers.of(threads)) {
            SymmetricRank.accumulate(matmul, x, offset, rows, n, h, workers);
          }
          if (first == null) {
            first = h;
            verify(x, offset, rows, n, h);
          }
          assertThat(h).as("%s threads", threads).isEqualTo(first);
        }
      }
    }
  }

  @Test
  void arraysThatAreTooShortAreNamed() {
    assertThatThrownBy(
            () ->
                SymmetricRank.accumulate(
                    new ScalarMatmul(), new float[11], 0, 3, 4, new float[16], Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "A is 3×4 at offset 0 with 4 elements between rows and ends at 12, but its array has 11");
  }

  private static float[] before(int n) {
    float[] h = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        h[i * n + j] = 1 + (i + j) % 7;
      }
    }
    return h;
  }

  private static void verify(float[] x, int offset, int rows, int n, float[] h) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double wanted = 1 + (i + j) % 7;
        double magnitude = wanted;
        for (int r = 0; r < rows; r++) {
          double term = (double) x[offset + r * n + i] * x[offset + r * n + j];
          wanted += term;
          magnitude += Math.abs(term);
        }
        if (!(Math.abs(h[i * n + j] - wanted) <= (rows + 4) * 0x1p-24 * magnitude)) {
          throw new AssertionError(
              String.format(Locale.ROOT, "H[%d,%d] is %s, wanted %s", i, j, h[i * n + j], wanted));
        }
        if (h[i * n + j] != h[j * n + i]) {
          throw new AssertionError(
              String.format(Locale.ROOT, "H[%d,%d] differs from its mirror", i, j));
        }
      }
    }
  }
}
