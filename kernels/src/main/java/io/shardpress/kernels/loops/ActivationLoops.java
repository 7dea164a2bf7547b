package io.shardpress.kernels.loops;

/** Loops over activations that are to be quantized, to which applies what {@link Loops} says. */
public interface ActivationLoops {
  /** The implementation of this process, as {@link Loops#chosen}. */
  static ActivationLoops chosen() {
    return Chosen.ACTIVATIONS;
  }

  /**
   * The least and the greatest of {@code length} elements; both NaN where one of them is.
   *
   * @param range gets the least at 0 and the greatest at 1, +∞ and −∞ where there are none
   */
  void range(float[] x, int at, int length, float[] range);

  /**
   * x̂ = scale·e4m3(x/scale): rounded to 4 bits of exponent and 3 of mantissa as OCP's FP8 E4M3 has
   * them (arXiv 2209.05433), to the nearest, ties to even, beyond ±448 to ±448.
   *
   * @param at where the elements begin in x and in the result, which may be x
   */
  void fakeQuantizeE4m3(float[] x, float[] quantized, int at, int length, float scale);
}
