package io.shardpress.kernels.metrics;

import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import java.util.Arrays;

/**
 * Compares p = softmax(a) of the original with q = softmax(b) of the compressed model at many
 * positions, while their logits come by in tiles of the vocabulary; positions × vocabulary is never
 * held. With M the greatest a so far, each position keeps Σ e^{a−M} and Σ e^{a−M}·(a − b), and of b
 * likewise; both sums are multiplied by e^{M−M'} where a tile brings a greater M' (the online
 * softmax of arXiv 1805.02867). In the end
 *
 * <pre>KL(p‖q) = Σ p·(a − b) − lse(a) + lse(b),  NLL = lse(a) − a[target].</pre>
 *
 * <p>All sums are f64, in the vocabulary's order.
 */
public final class DistributionComparison {
  private final int[] targets;
  private final Side original;
  private final Side compressed;
  private final double[] weightedDifference;
  private int seen;

  /** What is kept of one model's logits, an entry for each position. */
  private static final class Side {
    final double[] max;
    final double[] sum;
    final double[] target;
    final int[] top;

    Side(int positions) {
      max = new double[positions];
      sum = new double[positions];
      target = new double[positions];
      top = new int[positions];
      Arrays.fill(max, Double.NEGATIVE_INFINITY);
      Arrays.fill(target, Double.NaN);
    }

    /** Takes the greatest of a tile's row into account; the first of equals counts. */
    double raise(int position, float[] logits, int at, int columns, int first) {
      double greatest = max[position];
      for (int j = 0; j < columns; j++) {
        if (logits[at + j] > greatest) {
          greatest = logits[at + j];
          top[position] = first + j;
        }
      }
      double shrink = greatest == max[position] ? 1 : Math.exp(max[position] - greatest);
      max[position] = greatest;
      sum[position] *= shrink;
      return shrink;
    }

    double logSumExp(int position) {
      return max[position] + Math.log(sum[position]);
    }
  }

  /**
   * Begins with no logits seen.
   *
   * @param targets the token that follows each position
   */
  public DistributionComparison(int[] targets) {
    this.targets = targets.clone();
    this.original = new Side(targets.length);
    this.compressed = new Side(targets.length);
    this.weightedDifference = new double[targets.length];
  }

  /**
   * Takes the logits of tokens [first, first + columns) at all positions.
   *
   * @param first where the tile before ended
   * @param originalLogits [positions × columns]
   * @param compressedLogits [positions × columns]
   */
  public void tile(
      int first, int columns, float[] originalLogits, float[] compressedLogits, Workers workers) {
    if (first != seen) {
      throw new IllegalArgumentException("tile begins at " + first + ", want " + seen);
    }
    seen += columns;
    RowTiles.forEach(
        targets.length,
        workers,
        position -> {
          int at = position * columns;
          weightedDifference[position] *=
              original.raise(position, originalLogits, at, columns, first);
          compressed.raise(position, compressedLogits, at, columns, first);
          int target = targets[position] - first;
          if (target >= 0 && target < columns) {
            original.target[position] = originalLogits[at + target];
            compressed.target[position] = compressedLogits[at + target];
          }
          add(position, originalLogits, compressedLogits, at, columns);
        });
  }

  private void add(int position, float[] a, float[] b, int at, int columns) {
    double maxA = original.max[position];
    double maxB = compressed.max[position];
    double sumA = 0;
    double sumB = 0;
    double weighted = 0;
    for (int i = at; i < at + columns; i++) {
      double p = Math.exp(a[i] - maxA);
      sumA += p;
      sumB += Math.exp(b[i] - maxB);
      weighted += p * ((double) a[i] - b[i]);
    }
    original.sum[position] += sumA;
    compressed.sum[position] += sumB;
    weightedDifference[position] += weighted;
  }

  /** The figures after the last tile; NaN where logits were not finite or a target has not come. */
  public PositionFigures figures() {
    int n = targets.length;
    double[] kl = new double[n];
    double[] originalNll = new double[n];
    double[] compressedNll = new double[n];
    boolean[] agrees = new boolean[n];
    for (int i = 0; i < n; i++) {
      double lse = original.logSumExp(i);
      double other = compressed.logSumExp(i);
      double divergence = weightedDifference[i] / original.sum[i] - lse + other;
      // At least 0 by Gibbs' inequality; rounding can leave −1e-16 for equal distributions.
      kl[i] = Math.max(0, divergence);
      originalNll[i] = lse - original.target[i];
      compressedNll[i] = other - compressed.target[i];
      agrees[i] = original.top[i] == compressed.top[i];
    }
    return new PositionFigures(kl, originalNll, compressedNll, agrees);
  }
}
