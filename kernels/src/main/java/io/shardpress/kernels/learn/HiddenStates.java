package io.shardpress.kernels.learn;

/**
 * A block's part of mean‖h − h*‖²/var h*, the residual stream's distance from the full-precision
 * model's, which holds learning by the end loss back from fitting its few windows too closely.
 */
public final class HiddenStates {
  private HiddenStates() {}

  /** The variance of all elements, 1 / (n − 1) of the squares about their mean. */
  public static double variance(float[] values) {
    double mean = 0;
    for (float value : values) {
      mean += value;
    }
    mean /= values.length;
    double sum = 0;
    for (float value : values) {
      sum += (value - mean) * (value - mean);
    }
    return sum / (values.length - 1);
  }

  /**
   * factor·Σ(h − h*)², its gradient added to dh.
   *
   * @param n elements of all three
   * @param factor weight / (blocks · elements of the whole batch · var h*)
   * @param dh gets 2·factor·(h − h*) added; null where only the loss is wanted
   */
  public static double add(float[] h, float[] full, int n, double factor, float[] dh) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double difference = (double) h[i] - full[i];
      sum += difference * difference;
      if (dh != null) {
        dh[i] += (float) (2 * factor * difference);
      }
    }
    return factor * sum;
  }
}
