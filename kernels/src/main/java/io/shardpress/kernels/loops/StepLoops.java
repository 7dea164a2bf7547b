package io.shardpress.kernels.loops;

/** Loops that tell how a group's step suits it, to which applies what {@link Loops} says. */
public interface StepLoops {
  /** The implementation of this process, as {@link Loops#chosen}. */
  static StepLoops chosen() {
    return Chosen.STEPS;
  }

  /**
   * What a group's integers q = clamp(round(w/scale)) say of the step that suits them best.
   *
   * @param importance null where every element counts 1
   * @param sums gets Σ importance·w·q at 0 and Σ importance·q² at 1
   */
  void stepSums(
      float[] w,
      int at,
      int length,
      float[] importance,
      int importanceAt,
      float scale,
      float zero,
      float largest,
      float[] sums);

  /**
   * As {@link QuantizationLoops#fakeQuantize}, but by the quotient v/scale that stored codes are
   * made from, where that one multiplies by 1/scale. They differ at ties, and the largest weight of
   * a group is one where the step follows from the range.
   */
  void roundTrip(
      float[] v, float[] quantized, int at, int length, float scale, float zero, float largest);
}
