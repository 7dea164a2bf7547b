package io.shardpress.kernels.quant;

/**
 * The whole range: asymmetric, scale = (max(w,0) − min(w,0))/(2^b − 1), zero = round(−min/scale);
 * symmetric as compressed-tensors has it, scale = absmax/((2^b − 1)/2).
 */
public final class MinMax implements StepRule {
  @Override
  public void choose(
      float[] w,
      int from,
      int to,
      float[] importance,
      int importanceFrom,
      Grid grid,
      ScaleFormat format,
      Steps steps,
      int group) {
    Extent extent = Extent.of(w, from, to);
    step(extent.least(), extent.most(), grid, format, steps, group);
  }

  /**
   * Writes the step of a range into {@code steps} at {@code group}.
   *
   * @param least at most 0
   * @param most at least 0
   */
  public static void step(
      float least, float most, Grid grid, ScaleFormat format, Steps steps, int group) {
    if (grid.symmetric()) {
      steps.scales()[group] = format.usable(Math.max(-least, most) * 2 / grid.largest());
      steps.zeros()[group] = grid.middle();
    } else {
      float scale = format.usable((most - least) / grid.largest());
      steps.scales()[group] = scale;
      steps.zeros()[group] = grid.clamp((int) Math.rint(-least / scale));
    }
  }
}
