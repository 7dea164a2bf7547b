package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import java.util.Arrays;

/**
 * AutoRound's ranges (arXiv 2309.05516, section 3): low = min(w,0)·α, high = max(w,0)·β of every
 * group, with α and β in [0, 1] and 1 at the start, and the scale s and zero z of each as {@link
 * MinMax} has them.
 *
 * <p>Gradients, with G = ∂loss/∂Ŵ, M = 1 where a code is inside the clamp and o = Σ G∘(1 − M).
 * Asymmetric, where ∂z = −s·o and z = −low/s: ∂s = Σ G∘(q − M∘W/s) − o·low/s, ∂low = o − ∂s/(2^b −
 * 1), ∂high = ∂s/(2^b − 1). Symmetric, where z is fixed: ∂s lacks its second term, and all of it,
 * times 2/(2^b − 1), goes to the bound of larger magnitude.
 */
final class ShrunkRanges {
  private final Grid grid;
  private final float[] least;
  private final float[] most;

  /** α [groups]. */
  final float[] alpha;

  /** β [groups]. */
  final float[] beta;

  final float[] alphaGradient;
  final float[] betaGradient;

  /**
   * @param w groups one after the other
   * @param length elements of a group
   */
  ShrunkRanges(float[] w, int groups, int length, Grid grid) {
    this.grid = grid;
    least = new float[groups];
    most = new float[groups];
    for (int i = 0; i < groups * length; i++) {
      least[i / length] = Math.min(least[i / length], w[i]);
      most[i / length] = Math.max(most[i / length], w[i]);
    }
    alpha = new float[groups];
    beta = new float[groups];
    Arrays.fill(alpha, 1);
    Arrays.fill(beta, 1);
    alphaGradient = new float[groups];
    betaGradient = new float[groups];
  }

  /** Writes a group's scale and zero into {@code steps}. */
  void step(int group, ScaleFormat format, Steps steps) {
    float low = least[group] * alpha[group];
    float high = most[group] * beta[group];
    MinMax.step(low, high, grid, format, steps, group);
  }

  /**
   * Takes a group's ∂α and ∂β.
   *
   * @param scale s as it was in the forward pass
   * @param direct Σ G∘(q − M∘W/s), that is ∂s with z held fixed
   * @param clamped o
   */
  void backward(int group, double scale, double direct, double clamped) {
    double low = (double) least[group] * alpha[group];
    double high = (double) most[group] * beta[group];
    double lowGradient;
    double highGradient;
    if (grid.symmetric()) {
      // Where both bounds have the same magnitude, each gets its half.
      double share = Math.signum(high + low) * 0.5 + 0.5;
      double bound = direct * 2 / grid.largest();
      lowGradient = -bound * (1 - share);
      highGradient = bound * share;
    } else {
      double whole = direct - clamped * low / scale;
      lowGradient = clamped - whole / grid.largest();
      highGradient = whole / grid.largest();
    }
    alphaGradient[group] = (float) (lowGradient * least[group]);
    betaGradient[group] = (float) (highGradient * most[group]);
  }
}
