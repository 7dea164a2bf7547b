package io.shardpress.kernels.nn;

/**
 * Where the output projection comes from, some rows at a time: lm_head, or the embedding where that
 * is tied to it.
 */
@FunctionalInterface
public interface HeadRows {
  /**
   * Rows of some tokens, [count × hidden]; read and not kept. Asked for in order, twice for every
   * gradient.
   */
  float[] rows(int first, int count);
}
