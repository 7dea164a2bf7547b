package io.shardpress.kernels.quant;

/**
 * The range of some weights, widened to hold 0.
 *
 * @param least at most 0
 * @param most at least 0
 */
record Extent(float least, float most) {
  /** That of w at [from, to). */
  static Extent of(float[] w, int from, int to) {
    float least = 0;
    float most = 0;
    for (int i = from; i < to; i++) {
      least = Math.min(least, w[i]);
      most = Math.max(most, w[i]);
    }
    return new Extent(least, most);
  }
}
