package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;

/**
 * Loops of AutoRound (arXiv 2309.05516), to which applies what {@link Loops} says; their
 * implementation has the name of those. Rounding is to the nearest integer, ties to even. A group's
 * weights are rounded as q = clamp(round(w/scale + v) + zero, 0, largest) − zero, ŵ = scale·q.
 */
public interface AutoRoundLoops {
  /** The implementation of this process: vectors where {@link VectorWidth#chosen} is not 0. */
  static AutoRoundLoops chosen() {
    return Chosen.AUTO_ROUND;
  }

  /**
   * ŵ of one group.
   *
   * @param v what is added to each weight before it is rounded, in steps
   * @param at where the group begins in w, v and the result
   */
  void fakeQuantize(
      float[] w,
      float[] v,
      float[] quantized,
      int at,
      int length,
      float scale,
      float zero,
      float largest);

  /**
   * The gradients of one group, straight through the rounding: with M = 1 where the code is inside
   * the clamp, ∂v = scale·M·g.
   *
   * @param g ∂loss/∂ŵ
   * @param dv receives ∂v; another array than those read
   * @param at where the group begins in g, w, v and dv
   * @param sums gets Σ g·(q − M·w/scale) at 0 (what of ∂scale does not come through zero) and Σ
   *     g·(1 − M) at 1 (∂zero is −scale times that)
   */
  void gradients(
      float[] g,
      float[] w,
      float[] v,
      float[] dv,
      int at,
      int length,
      float scale,
      float zero,
      float largest,
      float[] sums);

  /**
   * One step of signed gradient descent in [from, to): p ← clamp(p − rate·sign(g), least, most). No
   * gradient, no move.
   */
  void signStep(float[] p, float[] g, int from, int to, float rate, float least, float most);
}
