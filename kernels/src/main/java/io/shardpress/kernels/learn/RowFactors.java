package io.shardpress.kernels.learn;

import io.shardpress.kernels.linalg.SymmetricRank;
import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.nn.StageGradients;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;

/**
 * How the end loss couples the rows of a stage's linears: A = Σ |x|²·g·gᵀ over tokens and draws,
 * with x [in] what the linears read and g [R] the gradient of what they give, stacked; the left
 * factor of a Kronecker approximation of the Fisher information, where the second moments of the
 * inputs are the right one (arXiv 1503.05671), with every token weighted by its input. Only the
 * blocks of a {@link RowTiling} are held.
 *
 * <p>Sums are f32 and taken in the order of {@link #add}. Partial sums over groups of windows are
 * added by {@link #merge}, in an order that the caller fixes.
 */
public final class RowFactors {
  /** What is added to the diagonal, as a share of its mean, unless told. */
  public static final double DAMPING = 0.1;

  private final RowTiling tiling;
  private final Matmul matmul;
  private final float[][] sums;
  private float[] scaled = {};

  /** Sums of nothing, for all tiles. */
  public RowFactors(RowTiling tiling, Matmul matmul) {
    this.tiling = tiling;
    this.matmul = matmul;
    sums = new float[tiling.tiles().length][];
    for (int t = 0; t < sums.length; t++) {
      int n = tiling.tiles()[t].length;
      sums[t] = new float[Math.multiplyExact(n, n)];
    }
  }

  /** Adds what a backward pass has found of the stage; its linears are those of the tiling. */
  public void add(StageGradients stage, Workers workers) {
    add(stage.tokens(), stage.in(), stage.inputs(), stage.stacked(workers), workers);
  }

  /**
   * Adds some tokens.
   *
   * @param x [tokens×in]
   * @param g [tokens×R]
   */
  public void add(int tokens, int in, float[] x, float[] g, Workers workers) {
    float[] lengths = new float[tokens];
    RowTiles.forEach(
        tokens,
        workers,
        t -> lengths[t] = (float) Math.sqrt(Loops.chosen().dot(x, t * in, x, t * in, in)));
    int all = tiling.rows();
    for (int t = 0; t < sums.length; t++) {
      int[] rows = tiling.tiles()[t];
      int n = rows.length;
      int size = Math.multiplyExact(tokens, n);
      float[] some = scaled.length < size ? new float[size] : scaled;
      scaled = some;
      RowTiles.forEach(
          tokens,
          workers,
          token -> {
            for (int i = 0; i < n; i++) {
              some[token * n + i] = lengths[token] * g[token * all + rows[i]];
            }
          });
      SymmetricRank.accumulate(matmul, some, 0, tokens, n, sums[t], workers);
    }
  }

  /** Adds the sums of other tokens over the same tiles. */
  public void merge(RowFactors others) {
    for (int t = 0; t < sums.length; t++) {
      merge(t, others.sums[t]);
    }
  }

  /** Adds the sum of other tokens over a tile, [n×n]. */
  public void merge(int tile, float[] other) {
    if (other.length != sums[tile].length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "tile %d has %d elements, the sum to be added has %d",
              tile,
              sums[tile].length,
              other.length));
    }
    Loops.chosen().addScaled(1, other, 0, sums[tile], 0, other.length);
  }

  /** The sum of a tile as it is, [n×n], symmetric; not a copy. */
  public float[] sum(int tile) {
    return sums[tile];
  }

  /** The mean of A's diagonal over all rows: what all tiles are divided by. */
  public double meanDiagonal() {
    double sum = 0;
    for (float[] tile : sums) {
      sum += diagonalSum(tile);
    }
    return sum / tiling.rows();
  }

  /** Σ A_ii of a square [n×n]: a tile's part of the mean, where tiles are apart. */
  public static double diagonalSum(float[] square) {
    int n = (int) Math.round(Math.sqrt(square.length));
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += square[i * n + i];
    }
    return sum;
  }

  /** As below with this object's own mean, in a new array. */
  public float[] normalised(int tile, double damping) {
    float[] a = sums[tile].clone();
    normalise(a, meanDiagonal(), damping);
    return a;
  }

  /**
   * A ← (A + damping·mean·I)/mean, in place: only its shape matters. The unit matrix where no
   * gradient came at all.
   *
   * @param a a tile [n×n]
   * @param mean of the diagonal over all rows of the stage
   * @param damping {@link #DAMPING}, up to 0.5 for fewer than 16 samples a row of the tile
   * @throws ArithmeticException where the sums are not finite
   */
  public static void normalise(float[] a, double mean, double damping) {
    if (!Double.isFinite(mean)) {
      throw new ArithmeticException(
          "the gradients of a stage add up to "
              + mean
              + ", wanted a finite number; look for NaN in the weights or the calibration text");
    }
    int n = (int) Math.round(Math.sqrt(a.length));
    double factor = mean > 0 ? 1 / mean : 0;
    for (int i = 0; i < a.length; i++) {
      a[i] = (float) (a[i] * factor);
    }
    float added = mean > 0 ? (float) damping : 1;
    for (int i = 0; i < n; i++) {
      a[i * n + i] += added;
    }
  }
}
