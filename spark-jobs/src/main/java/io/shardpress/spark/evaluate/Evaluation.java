package io.shardpress.spark.evaluate;

import io.shardpress.kernels.metrics.PositionFigures;
import java.util.Arrays;
import java.util.List;

/**
 * The outcome over all windows; means are over positions, sums in the text's order. Quantiles
 * interpolate between neighbours: the q-quantile of n sorted values lies at index q·(n−1).
 *
 * @param windows of the text
 * @param tokens that were predicted, T−1 of each window
 * @param originalNll mean negative log-likelihood, nats, as compressedNll
 * @param difference mean of compressedNll − originalNll
 * @param standardError of that mean: the windows' differences' deviation over √windows
 * @param kl KL(original‖compressed), nats
 * @param agreement share of positions where both find the same token likeliest
 * @param windowKl mean KL of each window, to pair with another evaluation's
 */
@SuppressWarnings("ArrayRecordComponent")
public record Evaluation(
    int windows,
    long tokens,
    double originalNll,
    double compressedNll,
    double difference,
    double standardError,
    Divergence kl,
    double agreement,
    double[] windowKl) {

  /** Mean, median, 99 % quantile and greatest value of a divergence. */
  public record Divergence(double mean, double median, double p99, double max) {}

  /**
   * Sums up the tasks' answers.
   *
   * @param answers in the order of their windows
   * @param perWindow positions of a window that predict, T−1
   */
  public static Evaluation of(List<PositionFigures> answers, int perWindow) {
    int tokens = answers.stream().mapToInt(PositionFigures::count).sum();
    int windows = tokens / perWindow;
    double[] kl = new double[tokens];
    double[] windowKl = new double[windows];
    double[] originalNll = new double[windows];
    double[] compressedNll = new double[windows];
    long agreeing = 0;
    int at = 0;
    for (PositionFigures answer : answers) {
      for (int i = 0; i < answer.count(); i++, at++) {
        kl[at] = answer.kl()[i];
        windowKl[at / perWindow] += answer.kl()[i] / perWindow;
        originalNll[at / perWindow] += answer.originalNll()[i] / perWindow;
        compressedNll[at / perWindow] += answer.compressedNll()[i] / perWindow;
        agreeing += answer.agrees()[i] ? 1 : 0;
      }
    }
    double[] difference = new double[windows];
    for (int i = 0; i < windows; i++) {
      difference[i] = compressedNll[i] - originalNll[i];
    }
    return new Evaluation(
        windows,
        tokens,
        mean(originalNll),
        mean(compressedNll),
        mean(difference),
        standardError(difference),
        divergence(kl),
        (double) agreeing / tokens,
        windowKl);
  }

  public double originalPerplexity() {
    return Math.exp(originalNll);
  }

  public double compressedPerplexity() {
    return Math.exp(compressedNll);
  }

  private static Divergence divergence(double[] kl) {
    double mean = mean(kl);
    Arrays.sort(kl);
    return new Divergence(mean, quantile(kl, 0.5), quantile(kl, 0.99), kl[kl.length - 1]);
  }

  private static double quantile(double[] sorted, double q) {
    double place = q * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /** 0 for a single value, of which nothing can be said. */
  private static double standardError(double[] values) {
    if (values.length < 2) {
      return 0;
    }
    double mean = mean(values);
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return Math.sqrt(squares / (values.length - 1) / values.length);
  }
}
