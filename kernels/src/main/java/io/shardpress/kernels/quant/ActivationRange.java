package io.shardpress.kernels.quant;

import io.shardpress.kernels.loops.ActivationLoops;
import io.shardpress.kernels.parallel.Workers;

/**
 * What static scales of activations are calibrated from: the least and the greatest element, and
 * how many there are of each size. The histogram's bins are fixed beforehand (64 to each power of
 * two) and its counts are integers, so the result does not depend on how elements were cut into
 * batches and partitions, nor on the order in which these are merged.
 */
public final class ActivationRange {
  private final long[] counts;
  private float least;
  private float greatest;

  /** Nothing observed yet. */
  public ActivationRange() {
    this(new long[Bins.COUNT], Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
  }

  /** A range as it was stored: {@link #counts}, {@link #least}, {@link #greatest}. */
  public ActivationRange(long[] counts, float least, float greatest) {
    if (counts.length != Bins.COUNT) {
      throw new IllegalArgumentException(
          counts.length + " counts, wanted " + Bins.COUNT + " of them");
    }
    this.counts = counts.clone();
    this.least = least;
    this.greatest = greatest;
  }

  /**
   * Takes the first {@code length} elements of x in.
   *
   * @throws ArithmeticException where one of them is not finite
   */
  public void observe(float[] x, int length, Workers workers) {
    int pieces = Math.max(1, Math.min(workers.threads(), length >> 16));
    ActivationRange[] parts = new ActivationRange[pieces];
    workers.forEach(
        pieces,
        piece -> {
          int from = (int) ((long) length * piece / pieces);
          int to = (int) ((long) length * (piece + 1) / pieces);
          parts[piece] = pieces == 1 ? this : new ActivationRange();
          parts[piece].observe(x, from, to);
        });
    if (pieces > 1) {
      for (ActivationRange part : parts) {
        merge(part);
      }
    }
  }

  private void observe(float[] x, int from, int to) {
    float[] range = new float[2];
    ActivationLoops.chosen().range(x, from, to - from, range);
    if (to > from && !(range[0] >= -Float.MAX_VALUE && range[1] <= Float.MAX_VALUE)) {
      throw new ArithmeticException(
          "activations from %s to %s, wanted finite ones: look for damaged weights in the blocks before"
              .formatted(range[0], range[1]));
    }
    least = Math.min(least, range[0]);
    greatest = Math.max(greatest, range[1]);
    for (int i = from; i < to; i++) {
      counts[Bins.of(x[i])]++;
    }
  }

  /** Takes in what another has observed. */
  public void merge(ActivationRange other) {
    least = Math.min(least, other.least);
    greatest = Math.max(greatest, other.greatest);
    for (int i = 0; i < counts.length; i++) {
      counts[i] += other.counts[i];
    }
  }

  /** How many elements each bin has, for storing. */
  public long[] counts() {
    return counts.clone();
  }

  /** The least element, +∞ if there is none. */
  public float least() {
    return least;
  }

  /** The greatest element, −∞ if there is none. */
  public float greatest() {
    return greatest;
  }

  /** The greatest magnitude, 0 if there are no elements. */
  public float absMax() {
    return least > greatest ? 0 : Math.max(-least, greatest);
  }

  /** The symmetric step that every element fits in; for caches, this is k_scale or v_scale. */
  public ActivationStep wholeSymmetric(ActivationFormat format) {
    return ActivationStep.symmetric(format, absMax());
  }

  /** The integers' step from the least element to the greatest. */
  public ActivationStep wholeAsymmetric() {
    return ActivationStep.asymmetric(Math.min(least, 0), Math.max(greatest, 0));
  }

  /**
   * The symmetric integers' step with the least mean squared error, of those that reach the 99.9th
   * to the 100th percentile of the magnitudes.
   */
  public ActivationStep leastErrorSymmetric() {
    PercentileSearch search = new PercentileSearch(counts, least, greatest);
    return search.best(false);
  }

  /**
   * The integers' step with the least mean squared error, of those that reach from the 0th to 0.1th
   * percentile to the 99.9th to 100th.
   */
  public ActivationStep leastErrorAsymmetric() {
    PercentileSearch search = new PercentileSearch(counts, least, greatest);
    return search.best(true);
  }
}
