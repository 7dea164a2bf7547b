package io.shardpress.kernels.quant;

import io.shardpress.schemas.recipe.WeightScheme;

/** Steps by a rule, then every weight to its nearest code. Needs no data. */
public final class RoundToNearest {
  private RoundToNearest() {}

  /** Quantizes w [out×in]. */
  public static QuantizedLinear quantize(
      float[] w, int out, int in, WeightScheme scheme, ScaleFormat format, StepRule rule) {
    return QuantizedLinear.round(w, out, in, scheme, steps(w, out, in, scheme, format, rule, null));
  }

  /**
   * The steps of every group of w [out×in].
   *
   * @param importance [in] weights of the squared errors, or null
   */
  public static Steps steps(
      float[] w,
      int out,
      int in,
      WeightScheme scheme,
      ScaleFormat format,
      StepRule rule,
      float[] importance) {
    Steps steps = new Steps(out, scheme.groups(in));
    Grid grid = Grid.of(scheme);
    int length = in / steps.groups();
    for (int g = 0; g < out * steps.groups(); g++) {
      int from = g * length;
      rule.choose(w, from, from + length, importance, from % in, grid, format, steps, g);
    }
    return steps;
  }
}
