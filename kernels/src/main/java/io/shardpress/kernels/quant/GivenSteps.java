package io.shardpress.kernels.quant;

/**
 * Steps that were chosen before, such as a learner's: no group's weights change them.
 *
 * @param given for the weight that is to be quantized; its scales are rounded to the stored dtype
 */
public record GivenSteps(Steps given) implements StepRule {
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
    steps.scales()[group] = format.usable(given.scales()[group]);
    steps.zeros()[group] = given.zeros()[group];
  }
}
