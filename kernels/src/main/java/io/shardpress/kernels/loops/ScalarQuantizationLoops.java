package io.shardpress.kernels.loops;

import static io.shardpress.kernels.loops.ExpPolynomial.ROUNDER;

/** The definition of every loop. */
final class ScalarQuantizationLoops implements QuantizationLoops {
  @Override
  public void lrqShrink(float[] w, float[] s, int at, float r, float[] c, int length) {
    for (int i = 0; i < length; i++) {
      s[at + i] = w[at + i] * ExpPolynomial.of(-(s[at + i] + r + c[i]));
    }
  }

  @Override
  public void fakeQuantize(
      float[] v, float[] quantized, int at, int length, float scale, float zero, float largest) {
    float inverse = 1 / scale;
    for (int i = at; i < at + length; i++) {
      quantized[i] = scale * clamp(rounded(v[i], inverse, zero, largest), zero, largest);
    }
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
    float step = 0;
    float row = 0;
    for (int i = 0; i < length; i++) {
      float rounded = rounded(v[at + i], inverse, zero, largest);
      boolean inside = rounded >= -zero && rounded <= largest - zero;
      float passed = inside ? v[at + i] : 0;
      float gradient = g[at + i];
      float dS = -gradient * passed;
      step += gradient * (scale * clamp(rounded, zero, largest) - passed);
      row += dS;
      columns[columnsAt + i] += dS;
      v[at + i] = dS;
    }
    sums[0] = step;
    sums[1] = row;
  }

  /** The signed integer nearest to v/scale; one beyond the clamp stands for all beyond it. */
  static float rounded(float v, float inverse, float zero, float largest) {
    float bounded = Math.min(Math.max(v * inverse, -zero - 1), largest - zero + 1);
    return (bounded + ROUNDER) - ROUNDER;
  }

  static float clamp(float rounded, float zero, float largest) {
    return Math.min(Math.max(rounded, -zero), largest - zero);
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
    float sum = 0;
    for (int i = 0; i < length; i++) {
      float q = clamp(rounded(w[at + i], inverse, zero, largest), zero, largest);
      float e = w[at + i] - scale * q;
      sum += importance == null ? e * e : e * e * importance[importanceAt + i];
    }
    return sum;
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
    gptqColumn(w, at, 0, rows, scales, zeros, largest, pivot, codes, errors, errorsAt);
  }

  /** As {@link #gptqColumn}, for the rows from {@code first} on. */
  void gptqColumn(
      float[] w,
      int at,
      int first,
      int rows,
      float[] scales,
      float[] zeros,
      float largest,
      float pivot,
      float[] codes,
      float[] errors,
      int errorsAt) {
    for (int i = first; i < rows; i++) {
      float value = w[at + i];
      float bounded = Math.min(Math.max(value / scales[i], -zeros[i] - 1), largest - zeros[i] + 1);
      float code = clamp((bounded + ROUNDER) - ROUNDER, zeros[i], largest);
      codes[at + i] = code + zeros[i];
      errors[errorsAt + i] = (value - scales[i] * code) / pivot;
    }
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
    descendColumn(r, at, 0, rows, scales, largest, curvature, codes, changes, changesAt);
  }

  /** As {@link #descendColumn}, for the rows from {@code first} on. */
  void descendColumn(
      float[] r,
      int at,
      int first,
      int rows,
      float[] scales,
      float largest,
      float curvature,
      float[] codes,
      float[] changes,
      int changesAt) {
    for (int i = first; i < rows; i++) {
      float before = codes[at + i];
      float place = before - r[at + i] / (scales[i] * curvature);
      float code = (Math.min(Math.max(place, 0), largest) + ROUNDER) - ROUNDER;
      codes[at + i] = code;
      changes[changesAt + i] = scales[i] * (before - code);
    }
  }

  @Override
  public void addOuter(
      float[] x, int xAt, int rows, float[] u, int uAt, int columns, float[] y, int yAt) {
    addOuter(x, xAt, 0, rows, u, uAt, columns, y, yAt);
  }

  /** As {@link #addOuter}, for the rows from {@code first} on. */
  void addOuter(
      float[] x,
      int xAt,
      int first,
      int rows,
      float[] u,
      int uAt,
      int columns,
      float[] y,
      int yAt) {
    for (int j = 0; j < columns; j++) {
      for (int i = first; i < rows; i++) {
        y[yAt + j * rows + i] -= x[xAt + i] * u[uAt + j];
      }
    }
  }

  @Override
  public void largestOfBf16(int[] pairs, int groups, int length, int[] largest) {
    for (int g = 0; g < groups; g++) {
      largest[g] = largestOfBf16(pairs, g * length, (g + 1) * length);
    }
  }

  static int largestOfBf16(int[] pairs, int from, int to) {
    int largest = 0;
    for (int i = from; i < to; i++) {
      int first = pairs[i] << 16 & Integer.MAX_VALUE;
      int second = pairs[i] & 0x7FFF0000;
      largest = Math.max(largest, Math.max(first, second));
    }
    return largest;
  }

  @Override
  public void nibblesOfBf16(
      int[] pairs, int groups, int length, float[] scales, int[] codes, double[] sums) {
    for (int g = 0; g < groups; g++) {
      nibblesOfBf16(pairs, g * length, (g + 1) * length, scales[g], codes, sums);
    }
  }

  static void nibblesOfBf16(
      int[] pairs, int from, int to, float scale, int[] codes, double[] sums) {
    for (int i = from; i < to; i++) {
      int first = nibble(Float.intBitsToFloat(pairs[i] << 16), scale, sums);
      int second = nibble(Float.intBitsToFloat(pairs[i] & 0xFFFF0000), scale, sums);
      codes[i] = first | second << 4;
    }
  }

  private static int nibble(float w, float scale, double[] sums) {
    float code = (float) Math.min(Math.max(Math.rint(w / scale), -8), 7);
    float error = w - scale * code;
    sums[0] += (double) error * error;
    sums[1] += (double) w * w;
    return (int) code + 8;
  }
}
