package io.shardpress.kernels.quant;

import io.shardpress.schemas.recipe.WeightScheme;

/**
 * The integers of b bits as they are stored: codes u in [0, 2^b − 1], w = scale·(u − zero).
 * Symmetric grids have zero = 2^(b−1). A signed reading is u − 2^(b−1).
 */
public record Grid(int bits, boolean symmetric) {
  public static Grid of(WeightScheme scheme) {
    return new Grid(scheme.bits(), scheme.symmetric());
  }

  /** The largest code. */
  public int largest() {
    return (1 << bits) - 1;
  }

  /** The code of zero on a symmetric grid. */
  public int middle() {
    return 1 << (bits - 1);
  }

  /** The code nearest to w, ties to even. */
  public int code(float w, float scale, int zero) {
    return code(w / scale, zero);
  }

  /** The code nearest to a place on the grid, counted in steps from zero, ties to even. */
  public int code(float place, int zero) {
    // Clamped before it becomes an int: the place may be beyond the range of one.
    return (int) Math.min(Math.max(Math.rint(place) + zero, 0), largest());
  }

  /** The nearest code that the grid has. */
  public int clamp(int code) {
    return Math.min(Math.max(code, 0), largest());
  }
}
