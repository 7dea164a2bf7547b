package io.shardpress.kernels.nn;

/**
 * The weights of a block's mixture of experts, f32, row-major. Experts are asked for one after the
 * other and need not all be in memory.
 */
public interface MixtureWeights {
  /** The router, [experts×hidden]. */
  float[] router();

  /** The gate of the expert that all tokens go through, [hidden]; null without one. */
  float[] sharedGate();

  /** An expert by its number; the caller keeps none. */
  Expert expert(int number);

  /**
   * The linears of an expert.
   *
   * @param gate [width×hidden]
   * @param up [width×hidden]
   * @param down [hidden×width]
   */
  record Expert(float[] gate, float[] up, float[] down) {}
}
