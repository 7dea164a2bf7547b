package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.AutoRoundLoops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;

/**
 * One linear of AutoRound (arXiv 2309.05516, section 3): the rounding of every weight is shifted by
 * V [out×in] in [−0.5, 0.5], and the range of every group shrunk by α and β in [0, 1]: low =
 * min(w,0)·α, high = max(w,0)·β, scale s and zero z from these as {@link MinMax} has them, q =
 * clamp(round(W/s + V) + z, 0, 2^b − 1) − z, Ŵ = s·q. V = 0 and α = β = 1 at the start, which is
 * plain rounding. On symmetric grids that differs from the authors' code, whose scale may be
 * negative.
 *
 * <p>Gradients pass all roundings straight through, that of s to the stored dtype among them. With
 * G = ∂loss/∂Ŵ, M = 1 where the code is inside the clamp and o = Σ G∘(1 − M): ∂V = s·M∘G;
 * asymmetric, where ∂z = −s·o and z = −low/s, ∂s = Σ G∘(q − M∘W/s) − o·low/s, ∂low = o − ∂s/(2^b −
 * 1), ∂high = ∂s/(2^b − 1); symmetric, where z is fixed, ∂s lacks its second term and all of it,
 * times 2/(2^b − 1), goes to the bound of larger magnitude. Parameters move by signed gradient
 * descent, p ← clamp(p − rate·sign ∂p).
 */
public final class AutoRoundLinear implements TrainableLinear {
  private static final float LARGEST_SHIFT = 0.5f;
  private static final int TILE = 1 << 14;

  private final float[] w;
  private final int out;
  private final int in;
  private final WeightScheme scheme;
  private final ScaleFormat format;
  private final Grid grid;
  private final int groups;
  private final float[] least;
  private final float[] most;
  private final float[] v;
  private final float[] alpha;
  private final float[] beta;
  private final float[] alphaGradient;
  private final float[] betaGradient;
  private final Remembered remembered;
  private final Steps steps;
  // Ŵ in the forward pass, ∂V after the backward pass, when nobody needs Ŵ any more.
  private final float[] quantized;

  /**
   * @param w [out×in] the weights to round; kept, not copied
   * @param format of the scales in the file: learning sees them rounded to it, so that {@link
   *     #result} in the same format is what was learned
   */
  public AutoRoundLinear(float[] w, int out, int in, WeightScheme scheme, ScaleFormat format) {
    this.w = w;
    this.format = format;
    this.out = out;
    this.in = in;
    this.scheme = scheme;
    grid = Grid.of(scheme);
    groups = scheme.groups(in);
    steps = new Steps(out, groups);
    int all = out * groups;
    least = new float[all];
    most = new float[all];
    int length = in / groups;
    for (int i = 0; i < out * in; i++) {
      least[i / length] = Math.min(least[i / length], w[i]);
      most[i / length] = Math.max(most[i / length], w[i]);
    }
    v = new float[out * in];
    alpha = new float[all];
    beta = new float[all];
    Arrays.fill(alpha, 1);
    Arrays.fill(beta, 1);
    alphaGradient = new float[all];
    betaGradient = new float[all];
    quantized = new float[out * in];
    remembered = new Remembered(v, alpha, beta);
  }

  /** V, α and β, as arrays that an optimizer changes in place. */
  public float[][] parameters() {
    return new float[][] {v, alpha, beta};
  }

  /** The gradients of {@link #parameters()} after {@link #backward}, until the next pass. */
  public float[][] gradients() {
    return new float[][] {quantized, alphaGradient, betaGradient};
  }

  @Override
  public float[] forward(Workers workers) {
    int length = in / groups;
    RowTiles.forEach(
        out,
        workers,
        row -> {
          for (int g = row * groups; g < (row + 1) * groups; g++) {
            chooseStep(g, format, steps);
            AutoRoundLoops.chosen()
                .fakeQuantize(
                    w,
                    v,
                    quantized,
                    g * length,
                    length,
                    steps.scales()[g],
                    steps.zeros()[g],
                    grid.largest());
          }
        });
    return quantized;
  }

  @Override
  public void backward(float[] gradient, Workers workers) {
    int length = in / groups;
    RowTiles.forEach(
        out,
        workers,
        row -> {
          float[] sums = new float[2];
          for (int g = row * groups; g < (row + 1) * groups; g++) {
            AutoRoundLoops.chosen()
                .gradients(
                    gradient,
                    w,
                    v,
                    quantized,
                    g * length,
                    length,
                    steps.scales()[g],
                    steps.zeros()[g],
                    grid.largest(),
                    sums);
            rangeGradients(g, sums[0], sums[1]);
          }
        });
  }

  /**
   * ∂α and ∂β of a group.
   *
   * @param step ∂s with z held fixed
   * @param clamped o
   */
  private void rangeGradients(int g, double step, double clamped) {
    double low = (double) least[g] * alpha[g];
    double high = (double) most[g] * beta[g];
    double lowGradient;
    double highGradient;
    if (grid.symmetric()) {
      // Where both bounds have the same magnitude, each gets its half.
      double share = Math.signum(high + low) * 0.5 + 0.5;
      double bound = step * 2 / grid.largest();
      lowGradient = -bound * (1 - share);
      highGradient = bound * share;
    } else {
      double whole = step - clamped * low / steps.scales()[g];
      lowGradient = clamped - whole / grid.largest();
      highGradient = whole / grid.largest();
    }
    alphaGradient[g] = (float) (lowGradient * least[g]);
    betaGradient[g] = (float) (highGradient * most[g]);
  }

  @Override
  public void step(int step, double learningRate, Workers workers) {
    float rate = (float) learningRate;
    workers.forEach(
        (v.length + TILE - 1) / TILE,
        tile -> {
          int end = Math.min(v.length, (tile + 1) * TILE);
          AutoRoundLoops.chosen()
              .signStep(v, quantized, tile * TILE, end, rate, -LARGEST_SHIFT, LARGEST_SHIFT);
        });
    AutoRoundLoops.chosen().signStep(alpha, alphaGradient, 0, alpha.length, rate, 0, 1);
    AutoRoundLoops.chosen().signStep(beta, betaGradient, 0, beta.length, rate, 0, 1);
  }

  @Override
  public void remember() {
    remembered.remember();
  }

  @Override
  public void recall() {
    remembered.recall();
  }

  @Override
  public QuantizedLinear result(ScaleFormat format, Workers workers) {
    Steps stored = new Steps(out, groups);
    byte[] codes = new byte[out * in];
    int length = in / groups;
    RowTiles.forEach(
        out,
        workers,
        row -> {
          for (int g = row * groups; g < (row + 1) * groups; g++) {
            chooseStep(g, format, stored);
            for (int i = g * length; i < (g + 1) * length; i++) {
              codes[i] = (byte) grid.code(w[i] / stored.scales()[g] + v[i], stored.zeros()[g]);
            }
          }
        });
    return new QuantizedLinear(out, in, scheme, codes, stored);
  }

  /** The step of a group's shrunk range. */
  private void chooseStep(int g, ScaleFormat format, Steps into) {
    MinMax.step(least[g] * alpha[g], most[g] * beta[g], grid, format, into, g);
  }

  @Override
  public float[] rounded(Workers workers) {
    float[] shifted = new float[w.length];
    int length = in / groups;
    RowTiles.forEach(
        out,
        workers,
        row -> {
          for (int g = row * groups; g < (row + 1) * groups; g++) {
            chooseStep(g, format, steps);
            for (int i = g * length; i < (g + 1) * length; i++) {
              shifted[i] = w[i] + steps.scales()[g] * v[i];
            }
          }
        });
    return shifted;
  }
}
