package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.loops.QuantizationLoops;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;

/**
 * The rounding that LRQ (arXiv 2407.11534, eq. 2) and FlexRound (arXiv 2306.00317, eq. 2) share,
 * whatever S [out×in] is made of beside a shift r of each row and c of each column: v = W·exp(−(S +
 * r + c)), a = v/exp(d), q = clamp(round(a), −z, 2^b − 1 − z), Ŵ = exp(d)·q, with z fixed.
 *
 * <p>Gradients pass the rounding straight through. With G = ∂loss/∂Ŵ and M = 1 where the code is
 * inside the clamp: ∂S = −G∘M∘v, ∂r and ∂c its row and column sums, ∂d = Σ G∘(Ŵ − M∘v) over a
 * group.
 */
final class ScaledRounding {
  // Rows whose column sums are taken together.
  private static final int ROW_TILE = 64;

  private final float[] w;
  private final int out;
  private final int in;
  private final WeightScheme scheme;
  private final int groups;
  private final int[] zeros;
  private final ScaleFormat learned;
  private final float[] scales;
  private final float[] quantized;
  private float[] columnSums;

  /**
   * Parameters beside S, or their gradients.
   *
   * @param rows r [out]
   * @param columns c [in]
   * @param steps d [out × groups], the steps' natural logarithms
   */
  record Shifts(float[] rows, float[] columns, float[] steps) {}

  /**
   * @param w [out×in] the weights to round; kept, not copied
   * @param zeros z of every group, kept
   * @param learned what exp(d) is rounded to while learning; the gradients pass that straight
   *     through
   */
  ScaledRounding(
      float[] w, int out, int in, WeightScheme scheme, int[] zeros, ScaleFormat learned) {
    this.learned = learned;
    this.w = w;
    this.out = out;
    this.in = in;
    this.scheme = scheme;
    this.zeros = zeros;
    groups = scheme.groups(in);
    scales = new float[out * groups];
    quantized = new float[out * in];
  }

  /** The natural logarithms of steps: d at the start. */
  static float[] logarithms(float[] scales) {
    float[] d = new float[scales.length];
    for (int g = 0; g < d.length; g++) {
      d[g] = (float) StrictMath.log(scales[g]);
    }
    return d;
  }

  /** The steps of d. */
  static float exponential(float d) {
    return (float) StrictMath.exp(d);
  }

  /**
   * Makes Ŵ [out×in], an array of this object.
   *
   * @param s S [out×in]
   * @param v receives v [out×in]; may be s
   */
  float[] forward(float[] s, float[] v, Shifts parameters, Workers workers) {
    float largest = Grid.of(scheme).largest();
    for (int group = 0; group < scales.length; group++) {
      scales[group] = learned.usable(exponential(parameters.steps[group]));
    }
    int length = in / groups;
    RowTiles.forEach(
        out,
        workers,
        row -> {
          shrinkRow(row, s, v, parameters);
          for (int g = 0; g < groups; g++) {
            int group = row * groups + g;
            QuantizationLoops.chosen()
                .fakeQuantize(
                    v,
                    quantized,
                    row * in + g * length,
                    length,
                    scales[group],
                    zeros[group],
                    largest);
          }
        });
    return quantized;
  }

  /**
   * The parameters' gradients after {@link #forward}.
   *
   * @param g ∂loss/∂Ŵ [out×in]
   * @param v as {@link #forward} left it; becomes ∂S
   * @param gradients receives those of r, c and d
   */
  void backward(float[] g, float[] v, Shifts gradients, Workers workers) {
    float largest = Grid.of(scheme).largest();
    int length = in / groups;
    int tiles = (out - 1) / ROW_TILE + 1;
    float[] columns = columnSums(tiles);
    workers.forEach(
        tiles,
        tile -> {
          float[] sums = new float[2];
          Arrays.fill(columns, tile * in, (tile + 1) * in, 0);
          for (int row = tile * ROW_TILE; row < Math.min(out, (tile + 1) * ROW_TILE); row++) {
            float rowSum = 0;
            for (int k = 0; k < groups; k++) {
              int group = row * groups + k;
              QuantizationLoops.chosen()
                  .lrqGradients(
                      g,
                      v,
                      row * in + k * length,
                      length,
                      scales[group],
                      zeros[group],
                      largest,
                      columns,
                      tile * in + k * length,
                      sums);
              gradients.steps[group] = sums[0];
              rowSum += sums[1];
            }
            gradients.rows[row] = rowSum;
          }
        });
    Arrays.fill(gradients.columns, 0);
    for (int tile = 0; tile < tiles; tile++) {
      Loops.chosen().addScaled(1, columns, tile * in, gradients.columns, 0, in);
    }
  }

  /**
   * The codes nearest to v on steps that the file can hold.
   *
   * @param s S [out×in]
   * @param v receives v [out×in]; may be s
   */
  QuantizedLinear result(
      float[] s, float[] v, Shifts parameters, ScaleFormat format, Workers workers) {
    RowTiles.forEach(out, workers, row -> shrinkRow(row, s, v, parameters));
    Steps steps = new Steps(out, groups, new float[zeros.length], zeros.clone());
    for (int g = 0; g < zeros.length; g++) {
      steps.scales()[g] = format.usable(exponential(parameters.steps[g]));
    }
    return QuantizedLinear.round(v, out, in, scheme, steps);
  }

  /** A row of v from its row of S. */
  private void shrinkRow(int row, float[] s, float[] v, Shifts parameters) {
    int at = row * in;
    if (s != v) {
      System.arraycopy(s, at, v, at, in);
    }
    QuantizationLoops.chosen().lrqShrink(w, v, at, parameters.rows[row], parameters.columns, in);
  }

  /** Room for the column sums of each tile of rows, which are added up in the tiles' order. */
  private float[] columnSums(int tiles) {
    if (columnSums == null) {
      columnSums = new float[tiles * in];
    }
    return columnSums;
  }
}
