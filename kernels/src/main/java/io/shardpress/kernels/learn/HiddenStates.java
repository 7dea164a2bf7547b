package io.shardpress.kernels.learn;

/**
 * A block's part of mean‖h − h*‖²/var h*, the residual stream's distance from the full-precision
 * model's, which holds learning by the end loss back from fitting its few windows too closely.
 */
public final class HiddenStates {
  private HiddenStates() {}

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
