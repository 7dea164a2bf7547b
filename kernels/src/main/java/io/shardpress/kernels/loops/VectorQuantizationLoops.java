package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;
import static io.shardpress.kernels.loops.Vectors.F;
import static io.shardpress.kernels.loops.Vectors.I;
import static io.shardpress.kernels.loops.Vectors.LANES;
import static io.shardpress.kernels.loops.Vectors.sumOfLanes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** The quantizers' loops on vectors; {@link Vectors} says what they keep to. */
final class VectorQuantizationLoops implements QuantizationLoops {
  private final ScalarQuantizationLoops scalar = new ScalarQuantizationLoops();

  @Override
  public void lrqShrink(float[] w, float[] s, int at, float r, float[] c, int length) {
    for (int start = 0; start < length; start += VectorExp.CHUNK) {
      int end = Math.min(length, start + VectorExp.CHUNK);
      int i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector.fromArray(F, s, at + i)
            .add(r)
            .add(FloatVector.fromArray(F, c, i))
            .neg()
            .min(ExpPolynomial.LARGEST)
            .intoArray(s, at + i);
      }
      for (; i < end; i++) {
        s[at + i] = -(s[at + i] + r + c[i]);
      }
      VectorExp.shifted(s, at + start, at + end, 0);
      i = start;
      for (; i <= end - LANES; i += LANES) {
        FloatVector.fromArray(F, s, at + i)
            .mul(FloatVector.fromArray(F, w, at + i))
            .intoArray(s, at + i);
      }
      for (; i < end; i++) {
        s[at + i] *= w[at + i];
      }
    }
  }

  static FloatVector rounded(FloatVector v, float inverse, float zero, float largest) {
    return v.mul(inverse).max(-zero - 1).min(largest - zero + 1).add(ROUNDER).sub(ROUNDER);
  }

  @Override
  public void fakeQuantize(
      float[] v, float[] quantized, int at, int length, float scale, float zero, float largest) {
    float inverse = 1 / scale;
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      rounded(FloatVector.fromArray(F, v, at + i), inverse, zero, largest)
          .max(-zero)
          .min(largest - zero)
          .mul(scale)
          .intoArray(quantized, at + i);
    }
    scalar.fakeQuantize(v, quantized, at + i, length - i, scale, zero, largest);
  }

  @Override
  public void lrqGradients(
      float[] g,
      float[] v,
      int at,
      int length,
      float scale,
      float zero,
      float largest,
      float[] columns,
      int columnsAt,
      float[] sums) {
    float inverse = 1 / scale;
    FloatVector steps = FloatVector.zero(F);
    FloatVector rows = FloatVector.zero(F);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, v, at + i);
      FloatVector rounded = rounded(value, inverse, zero, largest);
      FloatVector code = rounded.max(-zero).min(largest - zero);
      VectorMask<Float> inside = rounded.compare(VectorOperators.EQ, code);
      FloatVector passed = FloatVector.zero(F).blend(value, inside);
      FloatVector gradient = FloatVector.fromArray(F, g, at + i);
      FloatVector dS = gradient.neg().mul(passed);
      steps = gradient.mul(code.mul(scale).sub(passed)).add(steps);
      rows = dS.add(rows);
      FloatVector.fromArray(F, columns, columnsAt + i).add(dS).intoArray(columns, columnsAt + i);
      dS.intoArray(v, at + i);
    }
    scalar.lrqGradients(
        g, v, at + i, length - i, scale, zero, largest, columns, columnsAt + i, sums);
    sums[0] = sumOfLanes(steps) + sums[0];
    sums[1] = sumOfLanes(rows) + sums[1];
  }

  @Override
  public float squaredError(
      float[] w,
      int at,
      int length,
      float[] importance,
      int importanceAt,
      float scale,
      float zero,
      float largest) {
    float inverse = 1 / scale;
    FloatVector squares = FloatVector.zero(F);
    int i = 0;
    for (; i <= length - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, w, at + i);
      FloatVector error =
          value.sub(
              rounded(value, inverse, zero, largest).max(-zero).min(largest - zero).mul(scale));
      FloatVector square = error.mul(error);
      if (importance != null) {
        square = square.mul(FloatVector.fromArray(F, importance, importanceAt + i));
      }
      squares = square.add(squares);
    }
    return sumOfLanes(squares)
        + scalar.squaredError(
            w, at + i, length - i, importance, importanceAt + i, scale, zero, largest);
  }

  @Override
  public void gptqColumn(
      float[] w,
      int at,
      int rows,
      float[] scales,
      float[] zeros,
      float largest,
      float pivot,
      float[] codes,
      float[] errors,
      int errorsAt) {
    int i = 0;
    for (; i <= rows - LANES; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, w, at + i);
      FloatVector scale = FloatVector.fromArray(F, scales, i);
      FloatVector zero = FloatVector.fromArray(F, zeros, i);
      FloatVector least = zero.neg();
      FloatVector most = least.add(largest);
      FloatVector code =
          value
              .div(scale)
              .max(least.sub(1))
              .min(most.add(1))
              .add(ROUNDER)
              .sub(ROUNDER)
              .max(least)
              .min(most);
      code.add(zero).intoArray(codes, at + i);
      value.sub(scale.mul(code)).div(pivot).intoArray(errors, errorsAt + i);
    }
    scalar.gptqColumn(w, at, i, rows, scales, zeros, largest, pivot, codes, errors, errorsAt);
  }

  @Override
  public void descendColumn(
      float[] r,
      int at,
      int rows,
      float[] scales,
      float largest,
      float curvature,
      float[] codes,
      float[] changes,
      int changesAt) {
    int i = 0;
    for (; i <= rows - LANES; i += LANES) {
      FloatVector scale = FloatVector.fromArray(F, scales, i);
      FloatVector before = FloatVector.fromArray(F, codes, at + i);
      FloatVector code =
          before
              .sub(FloatVector.fromArray(F, r, at + i).div(scale.mul(curvature)))
              .max(0)
              .min(largest)
              .add(ROUNDER)
              .sub(ROUNDER);
      code.intoArray(codes, at + i);
      before.sub(code).mul(scale).intoArray(changes, changesAt + i);
    }
    scalar.descendColumn(r, at, i, rows, scales, largest, curvature, codes, changes, changesAt);
  }

  @Override
  public void addOuter(
      float[] x, int xAt, int rows, float[] u, int uAt, int columns, float[] y, int yAt) {
    int i = 0;
    for (; i <= rows - 4 * LANES; i += 4 * LANES) {
      FloatVector first = FloatVector.fromArray(F, x, xAt + i);
      FloatVector second = FloatVector.fromArray(F, x, xAt + i + LANES);
      FloatVector third = FloatVector.fromArray(F, x, xAt + i + 2 * LANES);
      FloatVector fourth = FloatVector.fromArray(F, x, xAt + i + 3 * LANES);
      for (int j = 0; j < columns; j++) {
        int at = yAt + j * rows + i;
        FloatVector a = FloatVector.broadcast(F, u[uAt + j]);
        FloatVector.fromArray(F, y, at).sub(first.mul(a)).intoArray(y, at);
        FloatVector.fromArray(F, y, at + LANES).sub(second.mul(a)).intoArray(y, at + LANES);
        FloatVector.fromArray(F, y, at + 2 * LANES).sub(third.mul(a)).intoArray(y, at + 2 * LANES);
        FloatVector.fromArray(F, y, at + 3 * LANES).sub(fourth.mul(a)).intoArray(y, at + 3 * LANES);
      }
    }
    scalar.addOuter(x, xAt, i, rows, u, uAt, columns, y, yAt);
  }

  @Override
  public void largestOfBf16(int[] pairs, int groups, int length, int[] largest) {
    int[] lanes = new int[LANES];
    for (int g = 0; g < groups; g++) {
      int end = (g + 1) * length;
      int i = g * length;
      IntVector.zero(I).intoArray(lanes, 0);
      for (; i <= end - LANES; i += LANES) {
        IntVector both = IntVector.fromArray(I, pairs, i);
        both.lanewise(VectorOperators.LSHL, 16)
            .and(Integer.MAX_VALUE)
            .max(both.and(0x7FFF0000))
            .max(IntVector.fromArray(I, lanes, 0))
            .intoArray(lanes, 0);
      }
      int most = IntVector.fromArray(I, lanes, 0).reduceLanes(VectorOperators.MAX);
      largest[g] = Math.max(most, ScalarQuantizationLoops.largestOfBf16(pairs, i, end));
    }
  }

  // The quotient as w·(1/scale), and once more with what that leaves of w: the same number as the
  // division gives (Markstein 1990), whose instruction takes as long as all the others.
  @Override
  public void nibblesOfBf16(
      int[] pairs, int groups, int length, float[] scales, int[] codes, double[] sums) {
    float[] lanes = new float[2 * LANES];
    nibbles(pairs, groups, length, scales, codes, lanes, 16, 0);
    nibbles(pairs, groups, length, scales, codes, lanes, 0, 4);
    sums[0] += sumOfLanes(FloatVector.fromArray(F, lanes, 0));
    sums[1] += sumOfLanes(FloatVector.fromArray(F, lanes, LANES));
    for (int g = 0; g < groups; g++) {
      int end = (g + 1) * length;
      ScalarQuantizationLoops.nibblesOfBf16(
          pairs, end - length % LANES, end, scales[g], codes, sums);
    }
  }

  /** One number of every pair: the one that {@code left} shifts to the upper half. */
  private static void nibbles(
      int[] pairs,
      int groups,
      int length,
      float[] scales,
      int[] codes,
      float[] lanes,
      int left,
      int place) {
    FloatVector rounder = FloatVector.broadcast(F, ROUNDER);
    for (int g = 0; g < groups; g++) {
      FloatVector scale = FloatVector.broadcast(F, -scales[g]);
      FloatVector inverse = FloatVector.broadcast(F, 1 / scales[g]);
      int end = (g + 1) * length;
      for (int i = g * length; i <= end - LANES; i += LANES) {
        FloatVector w =
            IntVector.fromArray(I, pairs, i)
                .lanewise(VectorOperators.LSHL, left)
                .and(0xFFFF0000)
                .reinterpretAsFloats();
        FloatVector quotient = w.mul(inverse);
        quotient = quotient.fma(scale, w).fma(inverse, quotient);
        FloatVector shifted = quotient.max(-8).min(7).add(rounder);
        IntVector code =
            shifted.reinterpretAsInts().add(8).and(15).lanewise(VectorOperators.LSHL, place);
        if (place == 0) {
          code.intoArray(codes, i);
        } else {
          code.or(IntVector.fromArray(I, codes, i)).intoArray(codes, i);
        }
        FloatVector error = shifted.sub(rounder).fma(scale, w);
        error.fma(error, FloatVector.fromArray(F, lanes, 0)).intoArray(lanes, 0);
        w.fma(w, FloatVector.fromArray(F, lanes, LANES)).intoArray(lanes, LANES);
      }
    }
  }
}
