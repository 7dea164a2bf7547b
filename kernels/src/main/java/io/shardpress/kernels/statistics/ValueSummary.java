package io.shardpress.kernels.statistics;

/**
 * What there is to say of a set of values in one pass. Partial summaries merge by the pairwise
 * formula of Chan, Golub and LeVeque (1979): with δ = mean_b − mean_a, mean = mean_a + δ·n_b/n and
 * M2 = M2_a + M2_b + δ²·n_a·n_b/n. Merging in a fixed order gives fixed bits.
 *
 * @param count finite values; the others are not in min, max, mean and m2
 * @param zeros of them, of either sign
 * @param nans values that are NaN
 * @param infinities values that are infinite
 * @param min least finite value, +∞ if there is none
 * @param max greatest finite value, −∞ if there is none
 * @param mean 0 if there is none
 * @param m2 sum of squared distances from the mean
 */
public record ValueSummary(
    long count,
    long zeros,
    long nans,
    long infinities,
    float min,
    float max,
    double mean,
    double m2) {
  /** The summary of no values. */
  public static final ValueSummary EMPTY =
      new ValueSummary(0, 0, 0, 0, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0, 0);

  /** The summary of all elements of {@code values}. */
  public static ValueSummary of(float[] values) {
    long zeros = 0;
    long nans = 0;
    long infinities = 0;
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    double sum = 0;
    for (float value : values) {
      if (Float.isFinite(value)) {
        sum += value;
        min = Math.min(min, value);
        max = Math.max(max, value);
        zeros += value == 0 ? 1 : 0;
      } else if (Float.isNaN(value)) {
        nans++;
      } else {
        infinities++;
      }
    }
    long count = values.length - nans - infinities;
    double mean = count == 0 ? 0 : sum / count;
    return new ValueSummary(
        count, zeros, nans, infinities, min, max, mean, squaredDistances(values, mean));
  }

  /** The summary of both sets together. */
  public ValueSummary merge(ValueSummary other) {
    long total = count + other.count;
    if (total == 0) {
      return new ValueSummary(
          0, 0, nans + other.nans, infinities + other.infinities, min, max, 0, 0);
    }
    double delta = other.mean - mean;
    double share = (double) other.count / total;
    return new ValueSummary(
        total,
        zeros + other.zeros,
        nans + other.nans,
        infinities + other.infinities,
        Math.min(min, other.min),
        Math.max(max, other.max),
        mean + delta * share,
        m2 + other.m2 + delta * delta * count * share);
  }

  /** Deviation of the values themselves, √(M2/n); 0 if there are none. */
  public double standardDeviation() {
    return count == 0 ? 0 : Math.sqrt(m2 / count);
  }

  /** Greatest magnitude, 0 if there are no values. */
  public float absMax() {
    return count == 0 ? 0 : Math.max(Math.abs(min), Math.abs(max));
  }

  private static double squaredDistances(float[] values, double mean) {
    double sum = 0;
    for (float value : values) {
      if (Float.isFinite(value)) {
        sum += (value - mean) * (value - mean);
      }
    }
    return sum;
  }
}
