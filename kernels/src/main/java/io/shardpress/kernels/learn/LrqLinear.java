package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.loops.QuantizationLoops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;

/**
 * One linear of LRQ (arXiv 2407.11534, eq. 2 to 4): S = L·U + r + c scales the weights before they
 * are rounded, a = W/exp(d + S), q = clamp(round(a), −z, 2^b − 1 − z), Ŵ = exp(d)·q. L starts at
 * zero, so learning starts from plain rounding. d is learned per row, or per row and group; z is
 * fixed. Nothing of S is left at inference.
 *
 * <p>Gradients pass the rounding straight through. With G = ∂loss/∂Ŵ, v = W·exp(−S) and M = 1 where
 * the code is inside the clamp: ∂S = −G∘M∘v, ∂L = ∂S·Uᵀ, ∂U = Lᵀ·∂S, ∂r and ∂c its row and column
 * sums, ∂d = Σ G∘(Ŵ − M∘v) over a group.
 */
public final class LrqLinear implements TrainableLinear {
  private final int out;
  private final int in;
  private final int rank;
  private final WeightScheme scheme;
  private final float[] w;
  private final int[] zeros;
  private final AdamParameters adam;
  private final float[][] parameters;
  private final float[][] gradients;
  private final float[] scales;
  private final float[] shrunk;
  private final float[] quantized;
  private final Matmul matmul;
  private float[] columnSums;

  // Rows whose column sums are taken together.
  private static final int ROW_TILE = 64;

  // Places in parameters and gradients.
  private static final int L = 0;
  private static final int U = 1;
  private static final int R = 2;
  private static final int C = 3;
  private static final int D = 4;

  /**
   * @param w [out×in] the weights to round; kept, not copied
   * @param start the steps that learning starts from
   * @param rank k, columns of L
   * @param random draws U ~ U(−1/√in, 1/√in)
   */
  public LrqLinear(
      float[] w,
      int out,
      int in,
      WeightScheme scheme,
      Steps start,
      int rank,
      SeededRandom random,
      Matmul matmul) {
    this.w = w;
    this.out = out;
    this.in = in;
    this.rank = rank;
    this.scheme = scheme;
    this.zeros = start.zeros();
    this.matmul = matmul;
    this.parameters =
        new float[][] {
          new float[out * rank],
          new float[rank * in],
          new float[out],
          new float[in],
          new float[start.scales().length]
        };
    this.adam = new AdamParameters(parameters);
    this.gradients = adam.gradients();
    float limit = (float) (1 / Math.sqrt(in));
    for (int i = 0; i < rank * in; i++) {
      parameters[U][i] = random.nextFloat(limit);
    }
    for (int g = 0; g < start.scales().length; g++) {
      parameters[D][g] = (float) StrictMath.log(start.scales()[g]);
    }
    this.scales = start.scales().clone();
    this.shrunk = new float[out * in];
    this.quantized = new float[out * in];
  }

  /** L, U, r, c and d, as arrays that an optimizer changes in place. */
  public float[][] parameters() {
    return parameters;
  }

  /** The gradients of {@link #parameters()} after {@link #backward}. */
  public float[][] gradients() {
    return gradients;
  }

  @Override
  public void step(int step, double learningRate, Workers workers) {
    adam.step(step, learningRate, workers);
  }

  @Override
  public void remember() {
    adam.remember();
  }

  @Override
  public void recall() {
    adam.recall();
  }

  @Override
  public float[] forward(Workers workers) {
    float largest = Grid.of(scheme).largest();
    for (int group = 0; group < scales.length; group++) {
      scales[group] = scale(group);
    }
    int groups = scheme.groups(in);
    int length = in / groups;
    lowRank(workers);
    RowTiles.forEach(
        out,
        workers,
        row -> {
          shrinkRow(row);
          for (int g = 0; g < groups; g++) {
            int group = row * groups + g;
            QuantizationLoops.chosen()
                .fakeQuantize(
                    shrunk,
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

  @Override
  public void backward(float[] g, Workers workers) {
    float largest = Grid.of(scheme).largest();
    int groups = scheme.groups(in);
    int length = in / groups;
    int tiles = (out - 1) / ROW_TILE + 1;
    float[] columns = columnSums(tiles);
    // v is overwritten with ∂S: nothing needs it any more.
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
                      shrunk,
                      row * in + k * length,
                      length,
                      scales[group],
                      zeros[group],
                      largest,
                      columns,
                      tile * in + k * length,
                      sums);
              gradients[D][group] = sums[0];
              rowSum += sums[1];
            }
            gradients[R][row] = rowSum;
          }
        });
    Arrays.fill(gradients[C], 0);
    for (int tile = 0; tile < tiles; tile++) {
      Loops.chosen().addScaled(1, columns, tile * in, gradients[C], 0, in);
    }
    if (rank > 0) {
      matmul.multiply(
          Op.AS_IS,
          Op.TRANSPOSED,
          out,
          rank,
          in,
          1,
          shrunk,
          0,
          in,
          parameters[U],
          0,
          in,
          0,
          gradients[L],
          0,
          rank,
          workers);
      matmul.multiply(
          Op.TRANSPOSED,
          Op.AS_IS,
          rank,
          in,
          out,
          1,
          parameters[L],
          0,
          rank,
          shrunk,
          0,
          in,
          0,
          gradients[U],
          0,
          in,
          workers);
    }
  }

  @Override
  public QuantizedLinear result(ScaleFormat format, Workers workers) {
    lowRank(workers);
    RowTiles.forEach(out, workers, this::shrinkRow);
    Steps steps = new Steps(out, scheme.groups(in), new float[zeros.length], zeros.clone());
    for (int g = 0; g < zeros.length; g++) {
      steps.scales()[g] = format.usable(scale(g));
    }
    return QuantizedLinear.round(shrunk, out, in, scheme, steps);
  }

  @Override
  public float[] rounded(Workers workers) {
    lowRank(workers);
    RowTiles.forEach(out, workers, this::shrinkRow);
    return shrunk.clone();
  }

  /** L·U into {@code shrunk}. */
  private void lowRank(Workers workers) {
    if (rank > 0) {
      matmul.multiply(
          Op.AS_IS,
          Op.AS_IS,
          out,
          in,
          rank,
          1,
          parameters[L],
          0,
          rank,
          parameters[U],
          0,
          in,
          0,
          shrunk,
          0,
          in,
          workers);
    } else {
      Arrays.fill(shrunk, 0);
    }
  }

  /** A row of {@code shrunk} from its row of L·U: v = W·exp(−S). */
  private void shrinkRow(int row) {
    QuantizationLoops.chosen()
        .lrqShrink(w, shrunk, row * in, parameters[R][row], parameters[C], in);
  }

  /** Room for the column sums of each tile of rows, which are added up in the tiles' order. */
  private float[] columnSums(int tiles) {
    if (columnSums == null) {
      columnSums = new float[tiles * in];
    }
    return columnSums;
  }

  private float scale(int group) {
    return (float) StrictMath.exp(parameters[D][group]);
  }
}
