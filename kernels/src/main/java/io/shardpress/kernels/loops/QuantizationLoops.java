package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;

/**
 * Loops of the quantizers and their learners, to which applies what {@link Loops} says; their
 * implementation has the name of those. Rounding is to the nearest integer, ties to even.
 */
public interface QuantizationLoops {
  /** The implementation of this process: vectors where {@link VectorWidth#chosen} is not 0. */
  static QuantizationLoops chosen() {
    return Chosen.QUANTIZATION;
  }

  /**
   * LRQ's v = w·exp(−(s + r + c)) for one row; s is overwritten with v.
   *
   * @param at where the row begins in w and s
   * @param r the row's own shift
   * @param c [length] shifts of the columns
   */
  void lrqShrink(float[] w, float[] s, int at, float r, float[] c, int length);

  /**
   * ŵ = scale·(clamp(round(v/scale) + zero) − zero) for one group, codes in [0, largest].
   *
   * @param at where the group begins in v and in the result
   */
  void fakeQuantize(
      float[] v, float[] quantized, int at, int length, float scale, float zero, float largest);

  /**
   * The gradients of one group of LRQ: with M = 1 where the code is inside the clamp, v becomes ∂S
   * = −g·M·v, ∂S is added to {@code columns}, and the sums go to {@code sums}.
   *
   * @param columns [row length], element i of the group at {@code columnsAt + i}
   * @param sums gets Σ g·(ŵ − M·v) at 0 (∂d) and Σ ∂S at 1 (its share of ∂r)
   */
  void lrqGradients(
      float[] g,
      float[] v,
      int at,
      int length,
      float scale,
      float zero,
      float largest,
      float[] columns,
      int columnsAt,
      float[] sums);

  /**
   * Σ importance·(w − ŵ)² of one group rounded with this step.
   *
   * @param importance null where every element counts 1
   */
  float squaredError(
      float[] w,
      int at,
      int length,
      float[] importance,
      int importanceAt,
      float scale,
      float zero,
      float largest);

  /**
   * GPTQ's rounding of one column for {@code rows} rows: codes[i] = clamp(round(w/scale) + zero),
   * errors[i] = (w − scale·(code − zero))/pivot.
   *
   * @param at where the column begins in w and codes
   * @param scales [rows]
   * @param zeros [rows], whole numbers
   * @param pivot U_ii
   * @param errorsAt where the column begins in errors
   */
  void gptqColumn(
      float[] w,
      int at,
      int rows,
      float[] scales,
      float[] zeros,
      float largest,
      float pivot,
      float[] codes,
      float[] errors,
      int errorsAt);

  /**
   * Coordinate descent's step of one column for {@code rows} rows: the codes that are nearest to
   * code − r/(curvature·scale), changes[i] = scale·(code before − code after).
   *
   * @param r half of the error's slope in each weight
   * @param at where the column begins in r and codes
   * @param scales [rows]
   * @param curvature H_jj
   * @param changesAt where the column begins in changes
   */
  void descendColumn(
      float[] r,
      int at,
      int rows,
      float[] scales,
      float largest,
      float curvature,
      float[] codes,
      float[] changes,
      int changesAt);

  /**
   * y[j·rows + i] ← y[j·rows + i] − x[i]·u[j] for {@code rows} rows i and {@code columns} columns
   * j.
   *
   * @param xAt where the rows begin in x, {@code uAt} and {@code yAt} likewise
   */
  void addOuter(float[] x, int xAt, int rows, float[] u, int uAt, int columns, float[] y, int yAt);

  /**
   * The largest magnitudes of groups of bf16 numbers, as the bits of an f32: above infinity's where
   * one is NaN.
   *
   * @param pairs two numbers in each, the first in the lower half; the first group begins at 0
   * @param length pairs of a group
   * @param largest receives one for each of {@code groups}
   */
  void largestOfBf16(int[] pairs, int groups, int length, int[] largest);

  /**
   * Signed 4-bit codes plus 8 of bf16 numbers, clamp(round(w/scale), −8, 7) + 8: of a pair's
   * numbers the first in bits 0 to 3, the second in bits 4 to 7.
   *
   * @param pairs as for {@link #largestOfBf16}
   * @param scales of the groups, positive
   * @param codes receives one for each pair
   * @param sums to 0 is added Σ(w − ŵ)², to 1 Σw²
   */
  void nibblesOfBf16(
      int[] pairs, int groups, int length, float[] scales, int[] codes, double[] sums);
}
