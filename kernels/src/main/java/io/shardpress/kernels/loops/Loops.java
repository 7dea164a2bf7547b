package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;

/**
 * Loops that go once over their arrays and do everything there. Element-wise results are the same
 * bits in every implementation; sums are taken in lanes, whose number is part of {@link #name}.
 * Rounding is to the nearest integer, ties to even.
 */
public interface Loops {
  /** The implementation's name as it stands in part names: scalar, vector-512. */
  String name();

  /** The implementation of this process: vectors where {@link VectorWidth#chosen} is not 0. */
  static Loops chosen() {
    return Chosen.LOOPS;
  }

  /** x[i] ← e^(x[i] − shift) in [from, to); the sum of the results. */
  float expShifted(float[] x, int from, int to, float shift);

  /** The largest of x in [from, to), −∞ where that is empty. */
  float max(float[] x, int from, int to);

  /** y ← silu(gate) ∘ up in [from, to); y is another array than gate and up. */
  void swiGlu(float[] gate, float[] up, float[] y, int from, int to);

  /** Gradients of {@link #swiGlu} in [from, to), into other arrays than those read. */
  void swiGluBackward(
      float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, int from, int to);

  /** y[i] ← a·x[i] + y[i] for {@code length} elements. */
  void addScaled(float a, float[] x, int xAt, float[] y, int yAt, int length);

  /** x ← a·x in [from, to). */
  void scale(float a, float[] x, int from, int to);

  /** Σ x[i]·y[i] over {@code length} elements. */
  float dot(float[] x, int xAt, float[] y, int yAt, int length);

  /** y[i] ← w[i]·(a·x[i]) for {@code length} elements, w from its start; y may be x. */
  void scaledProduct(float[] w, float a, float[] x, int xAt, float[] y, int yAt, int length);

  /** ds[i] ← p[i]·(ds[i] − pull)·scale for {@code length} elements from {@code at} on. */
  void softmaxGradient(float[] p, float[] ds, int at, int length, float pull, float scale);

  /**
   * Rotates a pair of halves: (x, y) ← (x·cos − y·sin·sign, y·cos + x·sin·sign), x at {@code at}, y
   * behind it.
   */
  void rotate(float[] x, int at, float[] cos, float[] sin, int angles, int half, float sign);

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
   * One step of Adam in [from, to): m ← β₁m + (1−β₁)g, u ← β₂u + (1−β₂)g², p ← p − rate·m/(√u + ε).
   * The corrections of the first steps are in {@code rate} and {@code epsilon}.
   */
  void adam(
      float[] p, float[] g, float[] m, float[] u, int from, int to, float rate, float epsilon);

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

  /**
   * Exponentials of a softmax down the columns of x [rows × width]: x ← e^(x − largest), not yet
   * divided by their sums.
   *
   * @param small receives each column's largest element at {@code largestAt} and the sum of its
   *     exponentials at {@code sumsAt}
   */
  void softmaxColumns(float[] x, int rows, int width, float[] small, int largestAt, int sumsAt);
}
