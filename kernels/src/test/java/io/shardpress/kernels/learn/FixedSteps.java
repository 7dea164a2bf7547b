package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;

/** The same step for every group, whatever its weights: differences are the rounding's alone. */
record FixedSteps(float scale, int zero) implements StepRule {
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
    steps.scales()[group] = scale;
    steps.zeros()[group] = zero;
  }
}
