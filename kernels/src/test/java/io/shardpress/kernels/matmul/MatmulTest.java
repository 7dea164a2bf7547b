package io.shardpress.kernels.matmul;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.matmul.Matmul.Triangle;
import io.shardpress.kernels.parallel.Workers;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every implementation against a sum in f64, entry by entry: |c − wanted| ≤ (k + 4)·ε·Σ|a||b| with
 * ε = 2⁻²⁴, the bound of any order of summation in f32; and the same bits for 1, 2 and 3 threads.
 */
class MatmulTest {
  private static final int[] SIZES = {1, 3, 13, 64, 207};
  private static final float GUARD = 12345.5f;

  static Stream<Matmul> implementations() {
    return Implementations.all().stream();
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void everySmallSize(Matmul matmul) {
    int seed = 0;
    for (int m : SIZES) {
      for (int n : SIZES) {
        for (int k : SIZES) {
          Op opA = seed % 2 == 0 ? Op.AS_IS : Op.TRANSPOSED;
          Op opB = seed / 2 % 2 == 0 ? Op.AS_IS : Op.TRANSPOSED;
          check(matmul, new Example(opA, opB, m, n, k, 1, 0, null, seed++));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void everyOpWithEveryScale(Matmul matmul) {
    float[][] scales = {{1, 0}, {1, 1}, {-0.5f, 0.25f}, {0, 1}, {2, 0}, {0, 0}};
    for (Op opA : Op.values()) {
      for (Op opB : Op.values()) {
        for (float[] scale : scales) {
          check(matmul, new Example(opA, opB, 61, 130, 47, scale[0], scale[1], null, 7));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void emptySides(Matmul matmul) {
    for (int[] size : new int[][] {{0, 5, 5}, {5, 0, 5}, {5, 5, 0}}) {
      check(matmul, new Example(Op.AS_IS, Op.AS_IS, size[0], size[1], size[2], 1, 0.5f, null, 3));
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void longStrips(Matmul matmul) {
    for (Op opA : Op.values()) {
      for (Op opB : Op.values()) {
        check(matmul, new Example(opA, opB, 4098, 5, 9, 1, 0, null, 1));
        check(matmul, new Example(opA, opB, 5, 4098, 9, 1, 1, null, 2));
        check(matmul, new Example(opA, opB, 5, 7, 4098, 1, 1, null, 3));
      }
    }
    check(matmul, new Example(Op.AS_IS, Op.AS_IS, 4200, 33, 3, 1, 1, null, 5));
    check(matmul, new Example(Op.AS_IS, Op.AS_IS, 33, 4200, 3, 1, 1, null, 6));
    check(matmul, new Example(Op.AS_IS, Op.TRANSPOSED, 531, 1041, 523, 1, 0, null, 4));
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void triangles(Matmul matmul) {
    for (Triangle triangle : Triangle.values()) {
      for (int n : new int[] {1, 3, 64, 207, 1100}) {
        check(matmul, new Example(Op.TRANSPOSED, Op.AS_IS, n, n, 33, -1, 1, triangle, n));
        check(matmul, new Example(Op.AS_IS, Op.TRANSPOSED, n, n, 33, 1, 0, triangle, n));
      }
    }
  }

  @Test
  void trianglesOverSeveralBlocks() {
    for (Matmul matmul : Implementations.fast()) {
      for (Triangle triangle : Triangle.values()) {
        check(matmul, new Example(Op.AS_IS, Op.TRANSPOSED, 4200, 4200, 2, 1, 1, triangle, 8));
      }
    }
  }

  @Test
  void allWidthsOfVectorsGiveTheSameBits() {
    Example example = new Example(Op.AS_IS, Op.AS_IS, 245, 519, 700, 0.5f, 2, null, 9);
    float[] wanted = example.run(new VectorMatmul(128), Workers.single());
    for (int bits = 256; bits <= VectorWidth.preferred(); bits *= 2) {
      assertThat(example.run(new VectorMatmul(bits), Workers.single())).isEqualTo(wanted);
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void concurrentCallersDoNotDisturbEachOther(Matmul matmul) {
    Example first = new Example(Op.AS_IS, Op.AS_IS, 150, 140, 70, 1, 0, null, 10);
    Example second = new Example(Op.TRANSPOSED, Op.AS_IS, 90, 300, 80, 1, 1, null, 11);
    try (Workers callers = Workers.of(4)) {
      callers.forEach(
          40,
          i -> {
            Example example = i % 2 == 0 ? first : second;
            example.verify(matmul.name(), example.run(matmul, Workers.single()));
          });
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void matricesThatDoNotFitAreNamed(Matmul matmul) {
    float[] six = new float[6];
    assertThatThrownBy(
            () ->
                matmul.multiply(
                    Op.AS_IS,
                    Op.TRANSPOSED,
                    2,
                    2,
                    3,
                    1,
                    six,
                    0,
                    3,
                    six,
                    1,
                    3,
                    0,
                    six,
                    0,
                    2,
                    Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "B is 2×3 at offset 1 with 3 elements between rows and ends at 7, but its array has 6");
    assertThatThrownBy(
            () ->
                matmul.multiply(
                    Op.AS_IS,
                    Op.AS_IS,
                    2,
                    3,
                    2,
                    1,
                    six,
                    0,
                    2,
                    six,
                    0,
                    2,
                    0,
                    six,
                    0,
                    3,
                    Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("B is 2×3 at offset 0 with 2 elements between rows");
  }

  private static void check(Matmul matmul, Example example) {
    float[] first = null;
    for (int threads = 1; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        float[] c = example.run(matmul, workers);
        if (first == null) {
          first = c;
          example.verify(matmul.name(), c);
        } else {
          assertThat(Arrays.equals(first, c))
              .as(
                  "%s with %s threads, %s: the same bits as with one",
                  matmul.name(), threads, example)
              .isTrue();
        }
      }
    }
  }

  /** A random product whose matrices lie at odd offsets, with gaps between rows that must stay. */
  private record Example(
      Op opA, Op opB, int m, int n, int k, float alpha, float beta, Triangle triangle, int seed) {

    private Lying left() {
      return opA == Op.AS_IS ? new Lying(m, k, 5, k + 3) : new Lying(k, m, 5, m + 3);
    }

    private Lying right() {
      return opB == Op.AS_IS ? new Lying(k, n, 2, n + 1) : new Lying(n, k, 2, k + 1);
    }

    private Lying result() {
      return new Lying(m, n, 3, n + 2);
    }

    float[] run(Matmul matmul, Workers workers) {
      float[] c = result().random(seed + 2, beta == 0 ? Float.NaN : 1);
      if (triangle == null) {
        matmul.multiply(
            opA,
            opB,
            m,
            n,
            k,
            alpha,
            left().random(seed, 1),
            left().offset,
            left().stride,
            right().random(seed + 1, 1),
            right().offset,
            right().stride,
            beta,
            c,
            result().offset,
            result().stride,
            workers);
      } else {
        matmul.multiplyTriangle(
            triangle,
            opA,
            opB,
            n,
            k,
            alpha,
            left().random(seed, 1),
            left().offset,
            left().stride,
            right().random(seed + 1, 1),
            right().offset,
            right().stride,
            beta,
            c,
            result().offset,
            result().stride,
            workers);
      }
      return c;
    }

    void verify(String name, float[] c) {
      float[] a = left().random(seed, 1);
      float[] b = right().random(seed + 1, 1);
      float[] before = result().random(seed + 2, 1);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          if ((triangle == Triangle.UPPER && j < i) || (triangle == Triangle.LOWER && j > i)) {
            continue;
          }
          double sum = 0;
          double magnitude = 0;
          for (int l = 0; l < k; l++) {
            double term =
                (double) (opA == Op.AS_IS ? a[left().at(i, l)] : a[left().at(l, i)])
                    * (opB == Op.AS_IS ? b[right().at(l, j)] : b[right().at(j, l)]);
            sum += term;
            magnitude += Math.abs(term);
          }
          double kept = beta == 0 ? 0 : (double) beta * before[result().at(i, j)];
          double wanted = alpha * sum + kept;
          double tolerance =
              (k + 4) * 0x1p-24 * (Math.abs(alpha) * magnitude + Math.abs(kept)) + 1e-30;
          double found = c[result().at(i, j)];
          if (!(Math.abs(found - wanted) <= tolerance)) {
            throw new AssertionError(
                String.format(
                    Locale.ROOT,
                    "%s, %s: C[%d,%d] is %s, wanted %s ± %s",
                    name,
                    this,
                    i,
                    j,
                    found,
                    wanted,
                    tolerance));
          }
        }
      }
      result().verifyGaps(name, c);
    }
  }

  private record Lying(int rows, int columns, int offset, int stride) {
    int at(int row, int column) {
      return offset + row * stride + column;
    }

    float[] random(int seed, float scale) {
      float[] data = new float[offset + rows * stride];
      Arrays.fill(data, GUARD);
      SplittableRandom random = new SplittableRandom(seed);
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          data[at(i, j)] = scale * (random.nextInt() * 0x1p-31f);
        }
      }
      return data;
    }

    void verifyGaps(String name, float[] data) {
      for (int i = 0; i < data.length; i++) {
        int column = Math.floorMod(i - offset, stride);
        if (i < offset || column >= columns) {
          assertThat(data[i]).as("%s wrote between the rows, at %s", name, i).isEqualTo(GUARD);
        }
      }
    }
  }
}
