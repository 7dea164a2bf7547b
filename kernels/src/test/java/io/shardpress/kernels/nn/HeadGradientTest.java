package io.shardpress.kernels.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.Difference;
import io.shardpress.kernels.reference.NumericGradient;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class HeadGradientTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double EPSILON = 1e-5;
  private static final int HIDDEN = 12;
  private static final int VOCABULARY = 37;
  private static final int WINDOW = 6;
  private static final int ROWS = 3 * WINDOW;

  private final Random random = new Random(4);
  private final float[] x = Arrays64.gaussian(random, ROWS * HIDDEN, 1);
  private final float[] norm = Arrays64.gaussian(random, HIDDEN, 1);
  private final float[] table = Arrays64.gaussian(random, VOCABULARY * HIDDEN, 0.7);
  private final HeadRows head = rows(table);

  private static HeadRows rows(float[] table) {
    return (first, count) -> Arrays.copyOfRange(table, first * HIDDEN, (first + count) * HIDDEN);
  }

  private static HeadGradient small(double cap) {
    return new HeadGradient(HIDDEN, VOCABULARY, cap, EPSILON, 7, 10, MATMUL);
  }

  private HeadGradient.Batch batch() {
    return new HeadGradient.Batch(x, ROWS, WINDOW, norm, head);
  }

  /** log softmax of all positions, in f64. */
  private static double[] logSoftmax(double[] x, double[] norm, float[] table, double cap) {
    double[] normed = Oracle.rmsNorm(ROWS, HIDDEN, x, norm, EPSILON);
    double[] logits = Oracle.linear(ROWS, HIDDEN, VOCABULARY, normed, Arrays64.of(table), null);
    for (int row = 0; row < ROWS; row++) {
      double sum = 0;
      for (int v = 0; v < VOCABULARY; v++) {
        int at = row * VOCABULARY + v;
        logits[at] = cap == 0 ? logits[at] : cap * Math.tanh(logits[at] / cap);
        sum += Math.exp(logits[at]);
      }
      for (int v = 0; v < VOCABULARY; v++) {
        logits[row * VOCABULARY + v] -= Math.log(sum);
      }
    }
    return logits;
  }

  /** Labels where the sum of probabilities in order passes the position's number. */
  private static int[] labels(double[] logp, DrawnLabels drawn, int draw, int firstWindow) {
    int[] labels = new int[ROWS];
    for (int row = 0; row < ROWS; row++) {
      double uniform = drawn.uniform(draw, firstWindow + row / WINDOW, row % WINDOW);
      double sum = 0;
      while (true) {
        sum += Math.exp(logp[row * VOCABULARY + labels[row]]);
        if (sum > uniform || labels[row] == VOCABULARY - 1) {
          break;
        }
        labels[row]++;
      }
    }
    return labels;
  }

  @ParameterizedTest
  @CsvSource({"0,0", "0,1", "4,0"})
  void drawnLabels(double cap, int draw) {
    DrawnLabels drawn = new DrawnLabels(9);
    double[] wide = Arrays64.of(x);
    double[] wideNorm = Arrays64.of(norm);
    int[] labels = labels(logSoftmax(wide, wideNorm, table, cap), drawn, draw, 5);
    DoubleSupplier loss =
        () -> {
          double[] logp = logSoftmax(wide, wideNorm, table, cap);
          double sum = 0;
          for (int row = 0; row < ROWS; row++) {
            sum -= row % WINDOW == WINDOW - 1 ? 0 : logp[row * VOCABULARY + labels[row]];
          }
          return sum;
        };
    float[] dx = new float[x.length];
    double found = small(cap).drawn(batch(), drawn, draw, 5, dx, Workers.single());
    assertThat(found).isCloseTo(loss.getAsDouble(), within(1e-4));
    NumericGradient.check("x", loss, wide, dx, 200, 1e-4);
    for (int row = WINDOW - 1; row < ROWS; row += WINDOW) {
      assertThat(Arrays.copyOfRange(dx, row * HIDDEN, (row + 1) * HIDDEN)).containsOnly(0);
    }
  }

  /** Over many draws the mean of softmax − onehot is 0, to within its own deviation. */
  @Test
  void drawsFollowTheModelsDistribution() {
    int draws = 4000;
    double[] sum = new double[x.length];
    double[] squares = new double[x.length];
    HeadGradient gradient = small(0);
    float[] dx = new float[x.length];
    for (int draw = 0; draw < draws; draw++) {
      gradient.drawn(batch(), new DrawnLabels(1), draw, 0, dx, Workers.single());
      for (int i = 0; i < dx.length; i++) {
        sum[i] += dx[i];
        squares[i] += (double) dx[i] * dx[i];
      }
    }
    for (int i = 0; i < sum.length; i++) {
      // Five standard errors, for 180 numbers at once.
      assertThat(Math.abs(sum[i])).isLessThanOrEqualTo(5 * Math.sqrt(squares[i]));
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "4"})
  void divergenceFromTheFullModel(double cap) {
    float[] fullX = Arrays64.gaussian(random, x.length, 1);
    float[] fullNorm = Arrays64.gaussian(random, HIDDEN, 1);
    float[] fullTable = Arrays64.gaussian(random, table.length, 0.7);
    double[] p = logSoftmax(Arrays64.of(fullX), Arrays64.of(fullNorm), fullTable, cap);
    double[] wide = Arrays64.of(x);
    double[] wideNorm = Arrays64.of(norm);
    int predicting = HeadGradient.predicting(ROWS, WINDOW);
    assertThat(predicting).isEqualTo(3 * (WINDOW - 1));
    DoubleSupplier mean =
        () -> {
          double[] q = logSoftmax(wide, wideNorm, table, cap);
          double sum = 0;
          for (int i = 0; i < q.length; i++) {
            boolean last = i / VOCABULARY % WINDOW == WINDOW - 1;
            sum += last ? 0 : Math.exp(p[i]) * (p[i] - q[i]);
          }
          return sum / predicting;
        };
    HeadGradient.Batch full =
        new HeadGradient.Batch(fullX, ROWS, WINDOW, fullNorm, rows(fullTable));
    float[] dx = new float[x.length];
    double[] dNorm = new double[HIDDEN];
    HeadGradient gradient = small(cap);
    double sum = gradient.divergence(batch(), full, 1.0 / predicting, dx, dNorm, Workers.single());
    assertThat(sum / predicting).isCloseTo(mean.getAsDouble(), within(1e-5));
    NumericGradient.check("x", mean, wide, dx, 200, 1e-4);
    float[] narrow = new float[HIDDEN];
    for (int i = 0; i < HIDDEN; i++) {
      narrow[i] = (float) dNorm[i];
    }
    NumericGradient.check("norm", mean, wideNorm, narrow, HIDDEN, 1e-4);
    double again = gradient.divergence(batch(), full, 1, null, null, Workers.single());
    assertThat(again).isEqualTo(sum);
    assertThat(gradient.divergence(batch(), batch(), 1, dx, null, Workers.single()))
        .isCloseTo(0, within(1e-9));
    assertThat(dx).usingComparatorWithPrecision(1e-5f).containsOnly(0);
  }

  /** However few positions and tokens are held, and by however many threads. */
  @Test
  void slicesAndThreadsChangeNothingButRounding() {
    float[] wanted = new float[x.length];
    HeadGradient whole = new HeadGradient(HIDDEN, VOCABULARY, 0, EPSILON, MATMUL);
    double loss = whole.drawn(batch(), new DrawnLabels(3), 0, 0, wanted, Workers.single());
    for (int positions : new int[] {1, 5, 18}) {
      for (int slice : new int[] {1, 16, 37}) {
        HeadGradient cut =
            new HeadGradient(HIDDEN, VOCABULARY, 0, EPSILON, positions, slice, MATMUL);
        float[] dx = new float[x.length];
        assertThat(cut.drawn(batch(), new DrawnLabels(3), 0, 0, dx, Workers.single()))
            .isCloseTo(loss, within(1e-4));
        Difference.assertWithin("dx", dx, wanted, 1e-5);
        try (Workers workers = Workers.of(3)) {
          float[] other = new float[x.length];
          cut.drawn(batch(), new DrawnLabels(3), 0, 0, other, workers);
          assertThat(other).isEqualTo(dx);
        }
      }
    }
  }

  @Test
  void refusesBrokenWindows() {
    assertThatThrownBy(() -> new HeadGradient.Batch(x, 7, WINDOW, norm, head))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("7 rows are no whole windows of 6 tokens");
  }
}
