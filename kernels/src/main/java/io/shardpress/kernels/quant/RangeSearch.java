package io.shardpress.kernels.quant;

import io.shardpress.kernels.loops.QuantizationLoops;

/**
 * Searches shrunk ranges for the step with the least Σ importance·|w − ŵ|^p. Every candidate takes
 * the range [min·a, max·b]: first a = b falls from 1 in even steps, then, on asymmetric grids, the
 * zero point moves by whole codes around the best, which is what different a and b come to.
 */
public final class RangeSearch implements StepRule {
  private final int candidates;
  private final double least;
  private final int zeroReach;
  private final double power;

  /**
   * @param candidates shrink factors tried, evenly between 1 and {@code least}
   * @param least the smallest shrink factor
   * @param zeroReach codes to either side of the range's own zero point that are tried
   * @param power p of the error measure; 2.4 in LRQ's and GPTQ's code, 2 weighs by squared error
   */
  public RangeSearch(int candidates, double least, int zeroReach, double power) {
    this.candidates = candidates;
    this.least = least;
    this.zeroReach = zeroReach;
    this.power = power;
  }

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
    float low = extent.least();
    float high = extent.most();
    double best = Double.POSITIVE_INFINITY;
    float range = grid.symmetric() ? Math.max(-low, high) * 2 : high - low;
    // Stays where no error can be told, as when squares are beyond f32.
    float bestScale = format.usable(range / grid.largest());
    int bestZero = grid.symmetric() ? grid.middle() : grid.clamp((int) Math.rint(-low / bestScale));
    for (int c = 0; c < candidates; c++) {
      double shrink = 1 - (1 - least) * c / Math.max(1, candidates - 1);
      float scale = format.usable((float) (range * shrink / grid.largest()));
      int zero = grid.middle();
      int reach = 0;
      if (!grid.symmetric()) {
        zero = grid.clamp((int) Math.rint(-low * shrink / scale));
        reach = zeroReach;
      }
      for (int z = Math.max(0, zero - reach); z <= Math.min(grid.largest(), zero + reach); z++) {
        double error = error(w, from, to, importance, importanceFrom, grid, scale, z, best);
        if (error < best) {
          best = error;
          bestScale = scale;
          bestZero = z;
        }
      }
    }
    steps.scales()[group] = bestScale;
    steps.zeros()[group] = bestZero;
  }

  private double error(
      float[] w,
      int from,
      int to,
      float[] importance,
      int importanceFrom,
      Grid grid,
      float scale,
      int zero,
      double bound) {
    if (power == 2) {
      return QuantizationLoops.chosen()
          .squaredError(
              w, from, to - from, importance, importanceFrom, scale, zero, grid.largest());
    }
    double sum = 0;
    int largest = grid.largest();
    for (int i = from; i < to; i++) {
      float code = (float) Math.rint(w[i] / scale) + zero;
      code = Math.min(Math.max(code, 0), largest);
      double e = Math.abs(w[i] - scale * (code - zero));
      double cost = Math.pow(e, power);
      sum += importance == null ? cost : cost * importance[importanceFrom + i - from];
      if (sum >= bound) {
        return sum;
      }
    }
    return sum;
  }
}
