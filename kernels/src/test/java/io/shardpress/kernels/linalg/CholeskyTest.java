package io.shardpress.kernels.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Implementations;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CholeskyTest {
  private static final int[] SIZES = {1, 2, 3, 13, 64, 65, 130, 207, 321, 600};

  static Stream<Matmul> implementations() {
    return Implementations.all().stream();
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void factorTimesItsTransposeIsTheMatrix(Matmul matmul) {
    for (int n : SIZES) {
      float[] a = Symmetric.moments(n, n + 5, n);
      float[] l = sameForAnyThreads(a, (m, w) -> Cholesky.lower(matmul, m, n, w));
      double[] product = Symmetric.product(l, false, l, true, n);
      double tolerance = 4e-7 * Symmetric.largest(a) * Math.sqrt(n);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          assertThat(product[i * n + j])
              .as("n = %s, (LLᵀ)[%s,%s]", n, i, j)
              .isCloseTo(a[i * n + j], within(tolerance));
          if (j > i) {
            assertThat(l[i * n + j]).isZero();
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void inverseTimesTheFactorIsOne(Matmul matmul) {
    for (int n : SIZES) {
      float[] l = Symmetric.moments(n, n + 5, n);
      Cholesky.lower(matmul, l, n, Workers.single());
      float[] inverse =
          sameForAnyThreads(l, (m, w) -> LowerInverse.of(new Square(matmul, m, n, w)));
      double[] product = Symmetric.product(inverse, false, l, false, n);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          assertThat(product[i * n + j])
              .as("n = %s, (L⁻¹L)[%s,%s]", n, i, j)
              .isCloseTo(i == j ? 1 : 0, within(1e-4));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void inverseUpperIsTheFactorOfTheInverse(Matmul matmul) {
    for (int n : SIZES) {
      float[] h = Symmetric.moments(n, n + 5, n);
      float[] u = sameForAnyThreads(h, (m, w) -> Cholesky.inverseUpper(matmul, m, n, w));
      // The upper factor with H⁻¹ = UᵀU is the transposed lower one, and unique.
      double[] wanted = Symmetric.factor(Symmetric.inverse(h, n), n);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          double tolerance = 2e-4 * wanted[i * n + i] + 1e-12;
          assertThat((double) u[i * n + j])
              .as("n = %s, U[%s,%s]", n, i, j)
              .isCloseTo(wanted[j * n + i], within(tolerance));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void solutionsOfManyRightHandSides(Matmul matmul) {
    for (int n : SIZES) {
      float[] a = Symmetric.moments(n, n + 5, n);
      float[] l = a.clone();
      Cholesky.lower(matmul, l, n, Workers.single());
      int rows = 17;
      float[] b = new float[rows * n];
      Random random = new Random(n);
      for (int i = 0; i < b.length; i++) {
        b[i] = (float) random.nextGaussian();
      }
      float[] x = sameForAnyThreads(b, (m, w) -> Cholesky.solveRows(matmul, l, n, m, rows, w));
      double[] inverse = Symmetric.inverse(a, n);
      double scale = 0;
      for (int i = 0; i < n; i++) {
        scale = Math.max(scale, inverse[i * n + i]);
      }
      for (int row = 0; row < rows; row++) {
        for (int j = 0; j < n; j++) {
          double wanted = 0;
          for (int i = 0; i < n; i++) {
            wanted += b[row * n + i] * inverse[i * n + j];
          }
          assertThat((double) x[row * n + j])
              .as("n = %s, X[%s,%s]", n, row, j)
              .isCloseTo(wanted, within(2e-4 * scale * Math.sqrt(n)));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void badPivotIsNamed(Matmul matmul) {
    int n = 150;
    for (int bad : new int[] {0, 63, 64, 149}) {
      for (float value : new float[] {-1, 0, Float.NaN}) {
        float[] a = new float[n * n];
        for (int i = 0; i < n; i++) {
          a[i * n + i] = i == bad ? value : 2;
        }
        assertThatThrownBy(() -> Cholesky.lower(matmul, a.clone(), n, Workers.single()))
            .isInstanceOfSatisfying(
                NotPositiveDefiniteException.class,
                e -> {
                  assertThat(e.pivot()).isEqualTo(bad);
                  assertThat(Float.compare((float) e.value(), value)).isZero();
                })
            .hasMessageContaining("pivot " + bad);
        assertThatThrownBy(() -> Cholesky.inverseUpper(matmul, a.clone(), n, Workers.single()))
            .isInstanceOfSatisfying(
                NotPositiveDefiniteException.class, e -> assertThat(e.pivot()).isEqualTo(bad));
      }
    }
  }

  @Test
  void dampingIsAPartOfTheMeanDiagonal() {
    float[] h = {1, 7, 7, 3};
    assertThat(Cholesky.damp(h, 2, 0.5)).isEqualTo(1);
    assertThat(h).containsExactly(2, 7, 7, 4);
  }

  private interface InPlace {
    void run(float[] matrix, Workers workers);
  }

  private static float[] sameForAnyThreads(float[] before, InPlace work) {
    float[] first = null;
    for (int threads = 1; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        float[] after = before.clone();
        work.run(after, workers);
        if (first == null) {
          first = after;
        }
        assertThat(after).as("%s threads", threads).isEqualTo(first);
      }
    }
    return first;
  }
}
