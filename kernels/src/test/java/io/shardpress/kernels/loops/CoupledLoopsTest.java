package io.shardpress.kernels.loops;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As {@link LoopsTest}, for the loops of coupled descent. */
class CoupledLoopsTest extends TwinsTest {
  private static CoupledLoops scalar;
  private static CoupledLoops vector;

  @BeforeAll
  static void vectorsAreThere() {
    Twins<CoupledLoops> twins = Twins.of(ScalarCoupledLoops::new, VectorCoupledLoops::new);
    scalar = twins.scalar();
    vector = twins.vector();
  }

  /** A column of rows, its A being B·Bᵀ over {@code rows} with a ridge. */
  private record Column(
      int rows, float[] slopes, float[] a, float[] diagonal, float[] scales, float[] largest) {}

  private Column column(int rows, int at) {
    float[] b = gaussian(rows * rows, 0.5);
    float[] a = new float[rows * rows];
    float[] diagonal = new float[rows];
    float[] scales = gaussian(rows, 0.1);
    float[] largest = new float[rows];
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < rows; k++) {
        for (int j = 0; j < rows; j++) {
          a[i * rows + k] += b[i * rows + j] * b[k * rows + j] / rows;
        }
      }
      a[i * rows + i] += i % 7 == 6 ? -5 : 0.1f;
      diagonal[i] = a[i * rows + i];
      scales[i] = Math.abs(scales[i]) + 0.01f;
      largest[i] = i % 3 == 0 ? 3 : 15;
    }
    float[] slopes = gaussian(at + rows, 0.3);
    if (rows > 10) {
      slopes[at + 9] = Float.NaN;
      slopes[at + 5] = 1e30f;
    }
    return new Column(rows, slopes, a, diagonal, scales, largest);
  }

  private float[] codes(Column column, int at) {
    float[] codes = new float[at + column.rows];
    for (int i = 0; i < column.rows; i++) {
      codes[at + i] = i % ((int) column.largest[i] + 1);
    }
    return codes;
  }

  private static int run(
      CoupledLoops loops, Column c, int at, float[] codes, float[] changes, float[] u) {
    return loops.descendRows(
        c.slopes, at, c.rows, c.a, c.diagonal, c.scales, c.largest, 1.3f, codes, changes, 2, u);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, 13, 16, 17, 31, 64, 128, 207})
  void columnsHaveTheOraclesBits(int rows) {
    for (int at : PLACES) {
      Column column = column(rows, at);
      float[] codes = codes(column, at);
      float[] wantedCodes = codes.clone();
      float[] changes = gaussian(rows + 2, 1);
      float[] wantedChanges = changes.clone();
      float[] u = gaussian(rows, 1);
      float[] wantedU = u.clone();
      int moves = run(vector, column, at, codes, changes, u);
      int wanted = run(scalar, column, at, wantedCodes, wantedChanges, wantedU);
      assertThat(moves).isEqualTo(wanted);
      assertThat(codes).containsExactly(wantedCodes);
      assertThat(changes).containsExactly(wantedChanges);
      assertThat(u).containsExactly(wantedU);
    }
  }

  /** Each row in its turn, in f64, by the formula of its best code. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 40})
  void rowsMoveInOrderToTheirBestCodes(int rows) {
    Column c = column(rows, 0);
    float[] codes = codes(c, 0);
    double[] r = new double[rows];
    for (int i = 0; i < rows; i++) {
      r[i] = c.slopes[i];
    }
    float[] found = codes.clone();
    float[] changes = new float[rows + 2];
    float[] u = new float[rows];
    int moves = run(vector, c, 0, found, changes, u);
    int wantedMoves = 0;
    for (int i = 0; i < rows; i++) {
      double curvature = (double) c.diagonal[i] * 1.3f;
      double best = 0;
      double bestGain = 0;
      for (int code = 0; code <= c.largest[i]; code++) {
        double delta = c.scales[i] * ((double) code - codes[i]);
        double gain = delta * r[i] + 0.5 * delta * delta * curvature;
        if (curvature > 0 && gain < bestGain) {
          bestGain = gain;
          best = delta;
        }
      }
      double moved = c.scales[i] * ((double) found[i] - codes[i]);
      assertThat(moved).as("row %s", i).isCloseTo(best, org.assertj.core.data.Offset.offset(1e-6));
      assertThat(changes[2 + i]).isEqualTo(c.scales[i] * (codes[i] - found[i]));
      wantedMoves += best == 0 ? 0 : 1;
      for (int k = 0; k < rows; k++) {
        r[k] += best * 1.3f * c.a[i * rows + k];
      }
    }
    assertThat(moves).isEqualTo(wantedMoves);
    for (int i = 0; i < rows; i++) {
      double sum = 0;
      for (int k = 0; k < rows; k++) {
        sum += (double) c.a[i * rows + k] * changes[2 + k];
      }
      assertThat((double) u[i]).isCloseTo(sum, org.assertj.core.data.Offset.offset(1e-4));
    }
  }
}
