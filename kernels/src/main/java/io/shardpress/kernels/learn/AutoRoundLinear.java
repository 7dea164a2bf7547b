package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.AutoRoundLoops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * One linear of AutoRound (arXiv 2309.05516, section 3): the rounding of every weight is shifted by
 * V [out×in] in [−0.5, 0.5], and the range of every group shrunk by α and β, see {@link
 * ShrunkRanges}, from which its scale s and zero z follow: q = clamp(round(W/s + V) + z, 0, 2^b −
 * 1) − z, Ŵ = s·q. V = 0 and α = β = 1 at the start, which is plain rounding. On symmetric grids
 * that differs from the authors' code, whose scale may be negative.
 *
 * <p>Gradients pass all roundings straight through, that of s to the stored dtype among them: with
 * G = ∂loss/∂Ŵ and M = 1 where the code is inside the clamp, ∂V = s·M∘G. Parameters move by signed
 * gradient descent, p ← clamp(p − rate·sign ∂p).
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
  private final ShrunkRanges ranges;
  private final float[] v;
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
    ranges = new ShrunkRanges(w, out * groups, in / groups, grid);
    v = new float[out * in];
    quantized = new float[out * in];
    remembered = new Remembered(parameters());
  }

  /** V, α and β, as arrays that an optimizer changes in place. */
  public float[][] parameters() {
    return new float[][] {v, ranges.alpha, ranges.beta};
  }

  /** The gradients of {@link #parameters()} after {@link #backward}, until the next pass. */
  public float[][] gradients() {
    return new float[][] {quantized, ranges.alphaGradient, ranges.betaGradient};
  }

  @Override
  public float[] forward(Workers workers) {
    int length = in / groups;
    RowTiles.forEach(
        out,
        workers,
        row -> {
          for (int g = row * groups; g < (row + 1) * groups; g++) {
            ranges.step(g, format, steps);
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
            ranges.backward(g, steps.scales()[g], sums[0], sums[1]);
          }
        });
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
    int all = out * groups;
    AutoRoundLoops.chosen().signStep(ranges.alpha, ranges.alphaGradient, 0, all, rate, 0, 1);
    AutoRoundLoops.chosen().signStep(ranges.beta, ranges.betaGradient, 0, all, rate, 0, 1);
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
            ranges.step(g, format, stored);
            for (int i = g * length; i < (g + 1) * length; i++) {
              codes[i] = (byte) grid.code(w[i] / stored.scales()[g] + v[i], stored.zeros()[g]);
            }
          }
        });
    return new QuantizedLinear(out, in, scheme, codes, stored);
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
            ranges.step(g, format, steps);
            for (int i = g * length; i < (g + 1) * length; i++) {
              shifted[i] = w[i] + steps.scales()[g] * v[i];
            }
          }
        });
    return shifted;
  }
}
