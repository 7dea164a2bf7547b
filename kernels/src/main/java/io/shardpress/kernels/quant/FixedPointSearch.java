package io.shardpress.kernels.quant;

import io.shardpress.kernels.loops.QuantizationLoops;
import io.shardpress.kernels.loops.StepLoops;

/**
 * The step that makes Σ importance·(ŵ − w)² stationary: with the integers q = û − z held, the error
 * is least at s = Σ importance·w·q / Σ importance·q², and q follows from s again (where the
 * gradient ∂‖ŵ − w‖²/∂s = 2·Σ(ŵ − w)·q of EasyQuant, arXiv 2403.02775, vanishes). Starts from
 * {@link MinMax}, keeps its zero point, and returns the best step met on the way, so it is never
 * worse than {@link MinMax}.
 */
public final class FixedPointSearch implements StepRule {
  /** Enough for the integers to settle. */
  public static final int ITERATIONS = 30;

  private final MinMax start = new MinMax();
  private final int iterations;

  public FixedPointSearch() {
    this(ITERATIONS);
  }

  /**
   * @param iterations at most; fewer where the step no longer moves
   */
  public FixedPointSearch(int iterations) {
    this.iterations = iterations;
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
    start.choose(w, from, to, importance, importanceFrom, grid, format, steps, group);
    int zero = steps.zeros()[group];
    float best = steps.scales()[group];
    double least = error(w, from, to, importance, importanceFrom, best, zero, grid);
    float[] sums = new float[2];
    float scale = best;
    float tried = best;
    for (int i = 0; i < iterations; i++) {
      StepLoops.chosen()
          .stepSums(
              w, from, to - from, importance, importanceFrom, scale, zero, grid.largest(), sums);
      float next = sums[0] / sums[1];
      if (!(next > 0) || next == scale || Float.isInfinite(next)) {
        break;
      }
      // The search goes on from the exact step, as a stored one would stop it at the first that is
      // nearer than the format's spacing; what counts is the error with the stored one.
      scale = next;
      float stored = format.usable(scale);
      if (stored != tried) {
        tried = stored;
        double error = error(w, from, to, importance, importanceFrom, stored, zero, grid);
        if (error < least) {
          least = error;
          best = stored;
        }
      }
    }
    steps.scales()[group] = best;
  }

  private static double error(
      float[] w,
      int from,
      int to,
      float[] importance,
      int importanceFrom,
      float scale,
      int zero,
      Grid grid) {
    return QuantizationLoops.chosen()
        .squaredError(w, from, to - from, importance, importanceFrom, scale, zero, grid.largest());
  }
}
