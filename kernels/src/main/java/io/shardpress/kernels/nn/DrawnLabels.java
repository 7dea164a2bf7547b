package io.shardpress.kernels.nn;

import io.shardpress.kernels.random.SeededRandom;
import java.io.Serializable;

/**
 * Random numbers that labels are drawn by: the same for (seed, draw, window, position) wherever
 * that token's turn comes.
 */
public record DrawnLabels(long seed) implements Serializable {
  /**
   * Uniform in [0, 1).
   *
   * @param window of the calibration text, counted over all of it
   * @param position of the token in the window
   */
  double uniform(int draw, int window, int position) {
    String name = "label." + draw + "." + position;
    return (new SeededRandom(seed, window, name).nextLong() >>> 11) * 0x1p-53;
  }
}
