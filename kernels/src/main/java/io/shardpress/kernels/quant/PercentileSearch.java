package io.shardpress.kernels.quant;

import java.util.Arrays;

/**
 * Tries ranges of activations that leave a share of 10⁻³·2⁻ᵏ, k = 0…13, or nothing of them outside,
 * and measures the mean squared error of the integers' step for each from a histogram, whose
 * elements are taken to lie evenly in their bins.
 */
final class PercentileSearch {
  private static final int SHARES = 14;
  private static final double LARGEST_SHARE = 1e-3;

  private final long[] counts;
  private final float least;
  private final float greatest;
  private final long total;
  private final int[] filled;

  PercentileSearch(long[] counts, float least, float greatest) {
    this.counts = counts;
    this.least = least;
    this.greatest = greatest;
    this.total = Arrays.stream(counts).sum();
    int[] bins = new int[counts.length];
    int n = 0;
    for (int bin = 0; bin < counts.length; bin++) {
      if (counts[bin] > 0) {
        bins[n++] = bin;
      }
    }
    filled = Arrays.copyOf(bins, n);
  }

  /** The step with the least error; of equal ones that with the widest range. */
  ActivationStep best(boolean asymmetric) {
    if (total == 0) {
      return ActivationStep.symmetric(ActivationFormat.INT8, 0);
    }
    ActivationStep best = null;
    double smallest = Double.POSITIVE_INFINITY;
    float[] tops = tops(asymmetric ? counts : magnitudes(), asymmetric ? greatest : absMax());
    float[] bottoms = asymmetric ? tops(mirrored(), -least) : new float[] {0};
    for (float bottom : bottoms) {
      for (float top : tops) {
        ActivationStep step =
            asymmetric
                ? ActivationStep.asymmetric(-bottom, top)
                : ActivationStep.symmetric(ActivationFormat.INT8, top);
        double error = error(step);
        if (error < smallest) {
          smallest = error;
          best = step;
        }
      }
    }
    return best;
  }

  private float absMax() {
    return Math.max(-least, greatest);
  }

  private long[] mirrored() {
    long[] mirrored = new long[counts.length];
    for (int bin : filled) {
      mirrored[Bins.opposite(bin)] = counts[bin];
    }
    return mirrored;
  }

  private long[] magnitudes() {
    long[] sums = new long[counts.length];
    for (int bin : filled) {
      sums[Math.max(bin, Bins.opposite(bin))] += counts[bin];
    }
    return sums;
  }

  /** The ends of ranges that leave out less than each share above them, widest first. */
  private float[] tops(long[] histogram, float whole) {
    float[] tops = new float[SHARES + 1];
    tops[0] = whole;
    long above = 0;
    int bin = histogram.length - 1;
    for (int k = SHARES - 1; k >= 0; k--) {
      double room = total * LARGEST_SHARE / (1L << k);
      while (bin > 0 && above + histogram[bin] <= room) {
        above += histogram[bin--];
      }
      tops[SHARES - k] = Math.min(whole, Bins.to(bin));
    }
    return tops;
  }

  /** Σ over all elements of (x̂ − x)². */
  private double error(ActivationStep step) {
    double scale = step.scale();
    double low = -step.zero() * scale;
    double high = (ActivationFormat.LARGEST_CODE - step.zero()) * scale;
    double sum = 0;
    for (int bin : filled) {
      // No element is beyond the whole range, though the outermost bins are.
      double from = Math.max(Bins.from(bin), least);
      double to = Math.min(Bins.to(bin), greatest);
      double mean = 0;
      if (to > from) {
        double below = cubes(from - low, to - low, true);
        double above = cubes(from - high, to - high, false);
        double inside = within(clamp(to, low, high), scale) - within(clamp(from, low, high), scale);
        mean = (below + above + inside) / (to - from);
      } else {
        double code = Math.rint(from / scale) * scale;
        mean = Math.pow(from - clamp(code, low, high), 2);
      }
      sum += counts[bin] * mean;
    }
    return sum;
  }

  /** ∫ t² dt over the part of [from, to] that is negative, or positive. */
  private static double cubes(double from, double to, boolean negative) {
    double a = negative ? Math.min(from, 0) : Math.max(from, 0);
    double b = negative ? Math.min(to, 0) : Math.max(to, 0);
    return (b * b * b - a * a * a) / 3;
  }

  /** ∫₀ˣ of the squared distance from the nearest multiple of the scale. */
  private static double within(double x, double scale) {
    double n = Math.rint(x / scale);
    double rest = x - n * scale;
    return n * scale * scale * scale / 12 + rest * rest * rest / 3;
  }

  private static double clamp(double x, double low, double high) {
    return Math.min(Math.max(x, low), high);
  }
}
