package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.StepLoops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.Locale;

/**
 * AWQ's search for the range of each group (the authors' code of arXiv 2306.00978): weights are cut
 * off at max|w|·(1 − i/20), i = 0…9, with the i whose rounding changes the group's part of the
 * output least, Σ_t (x_t·(w − ŵ))² = (w − ŵ)·H_g·(w − ŵ)ᵀ, where H_g are the second moments of the
 * group's inputs: the same as from the tokens themselves.
 */
public final class AwqClip {
  private static final int STEPS = 20;
  private static final int CANDIDATES = 10;

  // Elements of the errors that are multiplied by H together.
  private static final int TILE = 1 << 20;

  private final WeightScheme scheme;
  private final ScaleFormat format;
  private final Matmul matmul;

  public AwqClip(WeightScheme scheme, ScaleFormat format, Matmul matmul) {
    this.scheme = scheme;
    this.format = format;
    this.matmul = matmul;
  }

  /**
   * Whether a linear's weights are clipped: q and k, whose product is taken, are not, nor is what
   * has their rows.
   */
  public static boolean takes(LinearRole role) {
    return switch (role.kind()) {
      case Q, K, QKV -> false;
      default -> true;
    };
  }

  /**
   * The magnitudes at which groups are best cut off, [out × groups].
   *
   * @param w [out×in], scaled already; not changed
   * @param h second moments of the scaled inputs [in×in], see {@link ChannelScales#unscaleMoments}
   */
  public float[] limits(float[] w, int out, int in, float[] h, Workers workers) {
    int groups = scheme.groups(in);
    int length = in / groups;
    int tile = Math.min(out, Math.max(1, TILE / length));
    ErrorForm form = new ErrorForm(h, in, tile, length, matmul, workers);
    float[] limits = new float[out * groups];
    double[] least = new double[tile];
    for (int first = 0; first < out; first += tile) {
      int start = first;
      int rows = Math.min(tile, out - first);
      for (int g = 0; g < groups; g++) {
        int group = g;
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        for (int i = 0; i < CANDIDATES; i++) {
          float share = (float) (STEPS - i) / STEPS;
          RowTiles.forEach(
              rows,
              workers,
              row -> {
                int from = (start + row) * in + group * length;
                errors(w, from, length, share, form.errors(), row * length);
              });
          double[] forms = form.of(rows, g * length);
          for (int row = 0; row < rows; row++) {
            if (!Double.isFinite(forms[row])) {
              throw new ArithmeticException(
                  String.format(
                      Locale.ROOT,
                      "row %d, group %d: the error is %s; look for NaN in the weights or the statistics",
                      start + row,
                      g,
                      forms[row]));
            }
            if (forms[row] < least[row]) {
              least[row] = forms[row];
              int from = (start + row) * in + g * length;
              limits[(start + row) * groups + g] = share * largest(w, from, length);
            }
          }
        }
      }
    }
    return limits;
  }

  /** Cuts w [out×in] off at the limits of its groups. */
  public void apply(float[] w, int out, int in, float[] limits) {
    int length = in / scheme.groups(in);
    for (int i = 0; i < out * in; i++) {
      w[i] = Math.min(Math.max(w[i], -limits[i / length]), limits[i / length]);
    }
  }

  /** w − Q(clamp(w)) of one group. */
  private void errors(float[] w, int from, int length, float share, float[] errors, int at) {
    float limit = share * largest(w, from, length);
    for (int i = 0; i < length; i++) {
      errors[at + i] = Math.min(Math.max(w[from + i], -limit), limit);
    }
    Grid grid = Grid.of(scheme);
    Steps steps = new Steps(1, 1);
    new MinMax().choose(errors, at, at + length, null, 0, grid, format, steps, 0);
    StepLoops.chosen()
        .roundTrip(errors, errors, at, length, steps.scales()[0], steps.zeros()[0], grid.largest());
    for (int i = 0; i < length; i++) {
      errors[at + i] = w[from + i] - errors[at + i];
    }
  }

  private static float largest(float[] w, int from, int length) {
    float largest = 0;
    for (int i = from; i < from + length; i++) {
      largest = Math.max(largest, Math.abs(w[i]));
    }
    return largest;
  }
}
