package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;

/**
 * Loops that go once over their arrays and do everything there: what a block's forward and backward
 * pass and an optimizer need beside products. Element-wise results are the same bits in every
 * implementation; sums are taken in lanes, whose number is part of {@link #name}.
 */
public interface Loops {
  /** The implementation's name as it stands in part names: scalar, vector-512. */
  String name();

  /** The implementation of this process: vectors where {@link VectorWidth#chosen} is not 0. */
  static Loops chosen() {
    return Chosen.LOOPS;
  }

  /**
   * x[i] ← e^(x[i] − shift) in [from, to); the sum of the results.
   *
   * @param shift so large that no x[i] − shift is above 88, where e^x nears f32's end
   */
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
   * One step of Adam in [from, to): m ← β₁m + (1−β₁)g, u ← β₂u + (1−β₂)g², p ← p − rate·m/(√u + ε).
   * The corrections of the first steps are in {@code rate} and {@code epsilon}.
   *
   * @param beta2 β₂; β₁ is {@link AdamConstants#BETA_1}
   */
  void adam(
      float[] p,
      float[] g,
      float[] m,
      float[] u,
      int from,
      int to,
      float rate,
      float epsilon,
      float beta2);

  /**
   * Exponentials of a softmax down the columns of x [rows × width]: x ← e^(x − largest), not yet
   * divided by their sums.
   *
   * @param small receives each column's largest element at {@code largestAt} and the sum of its
   *     exponentials at {@code sumsAt}
   */
  void softmaxColumns(float[] x, int rows, int width, float[] small, int largestAt, int sumsAt);
}
