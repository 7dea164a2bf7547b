package io.shardpress.kernels.quant;

/** Chooses the step and zero point of one group of weights. */
public interface StepRule {
  /**
   * Writes scale and zero of a group into {@code steps} at {@code group}.
   *
   * @param w holds the group at [from, to)
   * @param importance weight of each element's squared error, read at [importanceFrom, …), or null
   *     where all count the same
   */
  void choose(
      float[] w,
      int from,
      int to,
      float[] importance,
      int importanceFrom,
      Grid grid,
      ScaleFormat format,
      Steps steps,
      int group);
}
