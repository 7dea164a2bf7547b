package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;

import java.util.Arrays;

/** The definition of every loop. */
final class ScalarCoupledLoops implements CoupledLoops {
  @Override
  public int descendRows(
      float[] slopes,
      int at,
      int rows,
      float[] a,
      float[] diagonal,
      float[] scales,
      float[] largest,
      float curvature,
      float[] codes,
      float[] changes,
      int changesAt,
      float[] u) {
    Arrays.fill(changes, changesAt, changesAt + rows, 0);
    Arrays.fill(u, 0, rows, 0);
    int moves = 0;
    for (int i = 0; i < rows; i++) {
      float before = codes[at + i];
      float r = slopes[at + i] - curvature * u[i];
      float code = code(before, r, diagonal[i] * curvature, scales[i], largest[i]);
      if (code != before) {
        float d = scales[i] * (before - code);
        codes[at + i] = code;
        changes[changesAt + i] = d;
        for (int k = 0; k < rows; k++) {
          u[k] += d * a[i * rows + k];
        }
        moves++;
      }
    }
    return moves;
  }

  /** The code that a row goes to: {@code before} where no other lowers the objective. */
  static float code(float before, float r, float curvature, float scale, float largest) {
    float place = before - r / (scale * curvature);
    float code = (Math.min(Math.max(place, 0), largest) + ROUNDER) - ROUNDER;
    float d = scale * (before - code);
    boolean lower = d * (0.5f * d * curvature - r) < 0;
    return lower && curvature > 0 ? code : before;
  }
}
