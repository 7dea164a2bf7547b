package io.shardpress.kernels.quant;

import io.shardpress.kernels.statistics.ValueSummary;
import java.util.List;
import java.util.Locale;

/**
 * Which weights of a tensor count as outliers: |w − mean| ≥ n·σ (EasyQuant, arXiv 2403.02775, which
 * prints the variance in place of σ; with that nearly all weights would be outliers).
 *
 * @param mean of the whole tensor
 * @param distance n·σ; infinite where no weight is an outlier
 */
public record OutlierRule(double mean, double distance) {
  /** No weight is an outlier. */
  public static final OutlierRule NONE = new OutlierRule(0, Double.POSITIVE_INFINITY);

  /**
   * The rule for a tensor that was summed up tile by tile.
   *
   * @param tiles of the whole tensor, in their order, which fixes the bits of the result
   * @param deviations n, above 0; infinite for no outliers
   */
  public static OutlierRule of(List<ValueSummary> tiles, double deviations) {
    if (!(deviations > 0)) {
      throw new IllegalArgumentException(
          "outliers begin at " + deviations + " standard deviations, wanted a number above 0");
    }
    ValueSummary all = ValueSummary.EMPTY;
    for (ValueSummary tile : tiles) {
      all = all.merge(tile);
    }
    if (all.nans() + all.infinities() > 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the tensor has %d NaN and %d infinite weights, wanted finite ones",
              all.nans(),
              all.infinities()));
    }
    double sigma = all.standardDeviation();
    // Where all weights are the same, none is far from the others.
    return sigma == 0 || deviations == Double.POSITIVE_INFINITY
        ? NONE
        : new OutlierRule(all.mean(), deviations * sigma);
  }

  /** Whether a weight is an outlier. */
  public boolean takes(float w) {
    return Math.abs(w - mean) >= distance;
  }
}
