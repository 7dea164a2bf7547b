package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.LANES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Coupled descent's loops on vectors; {@link Vectors} says what they keep to. Most rows stay where
 * they are, so a vector of rows is tried at once, and only from a row that moves on again.
 */
final class VectorCoupledLoops implements CoupledLoops {
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
    int i = 0;
    for (; i <= rows - LANES; i += LANES) {
      int next = 0;
      while (next < LANES) {
        long moving = moving(slopes, at, i, diagonal, scales, largest, curvature, codes, u);
        moving = moving >>> next << next;
        if (moving == 0) {
          break;
        }
        int lane = Long.numberOfTrailingZeros(moving);
        moves +=
            move(
                slopes, at, i + lane, rows, a, diagonal, scales, largest, curvature, codes, changes,
                changesAt, u);
        next = lane + 1;
      }
    }
    for (; i < rows; i++) {
      moves +=
          move(
              slopes, at, i, rows, a, diagonal, scales, largest, curvature, codes, changes,
              changesAt, u);
    }
    return moves;
  }

  /** A bit for each of the rows from i on that would move. */
  private static long moving(
      float[] slopes,
      int at,
      int i,
      float[] diagonal,
      float[] scales,
      float[] largest,
      float curvature,
      float[] codes,
      float[] u) {
    FloatVector before = FloatVector.fromArray(F, codes, at + i);
    FloatVector r =
        FloatVector.fromArray(F, slopes, at + i).sub(FloatVector.fromArray(F, u, i).mul(curvature));
    FloatVector curvatures = FloatVector.fromArray(F, diagonal, i).mul(curvature);
    FloatVector scale = FloatVector.fromArray(F, scales, i);
    FloatVector code =
        before
            .sub(r.div(scale.mul(curvatures)))
            .max(0)
            .min(FloatVector.fromArray(F, largest, i))
            .add(ROUNDER)
            .sub(ROUNDER);
    FloatVector d = before.sub(code).mul(scale);
    return d.mul(d.mul(0.5f).mul(curvatures).sub(r))
        .compare(VectorOperators.LT, 0)
        .and(curvatures.compare(VectorOperators.GT, 0))
        .toLong();
  }

  private static int move(
      float[] slopes,
      int at,
      int i,
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
    float before = codes[at + i];
    float r = slopes[at + i] - curvature * u[i];
    float code = ScalarCoupledLoops.code(before, r, diagonal[i] * curvature, scales[i], largest[i]);
    if (code == before) {
      return 0;
    }
    float d = scales[i] * (before - code);
    codes[at + i] = code;
    changes[changesAt + i] = d;
    int row = i * rows;
    int k = 0;
    for (; k <= rows - LANES; k += LANES) {
      FloatVector.fromArray(F, a, row + k)
          .mul(d)
          .add(FloatVector.fromArray(F, u, k))
          .intoArray(u, k);
    }
    for (; k < rows; k++) {
      u[k] += d * a[row + k];
    }
    return 1;
  }
}
