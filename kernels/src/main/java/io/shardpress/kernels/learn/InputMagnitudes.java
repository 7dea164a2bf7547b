package io.shardpress.kernels.learn;

import io.shardpress.kernels.parallel.Workers;
import java.util.Locale;

/**
 * How large each input channel of a stage's linears is: what SmoothQuant and AWQ scale by. Rows are
 * taken in their order and in f64, so that the result does not depend on how a partition is cut
 * into batches; partitions are merged in a fixed order.
 */
public final class InputMagnitudes {
  private static final int COLUMN_TILE = 512;

  private final float[] largest;
  private final double[] sums;
  private long tokens;

  /**
   * @param in channels
   */
  public InputMagnitudes(int in) {
    this(0, new float[in], new double[in]);
  }

  /**
   * Magnitudes as they were stored.
   *
   * @param largest [in] greatest magnitudes
   * @param sums [in] sums of magnitudes
   */
  public InputMagnitudes(long tokens, float[] largest, double[] sums) {
    this.tokens = tokens;
    this.largest = largest.clone();
    this.sums = sums.clone();
  }

  /**
   * Takes a batch in.
   *
   * @param x [rows×in]
   * @throws ArithmeticException where a channel is not finite
   */
  public void observe(float[] x, int rows, Workers workers) {
    int in = largest.length;
    workers.forEach(
        (in + COLUMN_TILE - 1) / COLUMN_TILE,
        tile -> {
          int from = tile * COLUMN_TILE;
          int to = Math.min(in, from + COLUMN_TILE);
          for (int row = 0; row < rows; row++) {
            for (int i = from; i < to; i++) {
              float magnitude = Math.abs(x[row * in + i]);
              largest[i] = Math.max(largest[i], magnitude);
              sums[i] += magnitude;
            }
          }
        });
    tokens += rows;
    check();
  }

  /** Takes the next partition in. */
  public void merge(InputMagnitudes next) {
    for (int i = 0; i < largest.length; i++) {
      largest[i] = Math.max(largest[i], next.largest[i]);
      sums[i] += next.sums[i];
    }
    tokens += next.tokens;
  }

  /** Rows seen. */
  public long tokens() {
    return tokens;
  }

  /** max|x_j| [in]. */
  public float[] absMax() {
    return largest.clone();
  }

  /** Σ|x_j| [in]. */
  public double[] sums() {
    return sums.clone();
  }

  /** mean|x_j| [in]; 0 where nothing was seen. */
  public float[] meanAbs() {
    float[] mean = new float[sums.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sums[i] / Math.max(1, tokens));
    }
    return mean;
  }

  private void check() {
    for (int i = 0; i < largest.length; i++) {
      if (!Float.isFinite(largest[i])) {
        throw new ArithmeticException(
            String.format(
                Locale.ROOT,
                "input channel %d of %d holds %s, wanted finite activations: look for damaged weights in the blocks before",
                i,
                largest.length,
                largest[i]));
      }
    }
  }
}
