package io.shardpress.kernels.learn;

import java.util.Arrays;
import java.util.Locale;

/**
 * AWQ's search for scales (arXiv 2306.00978, eq. 4 and 5): s = mean|x|^ρ, normed to √(max s·min s)
 * = 1, with the ρ ∈ {0, 0.05, … 0.95} whose loss is least.
 */
public final class Awq {
  /** Values of ρ that are tried. */
  public static final int RATIOS = 20;

  private static final double FLOOR = 1e-4;

  private Awq() {}

  /** What a module's output loses where its linears read x/s and hold Q(W·s). */
  @FunctionalInterface
  public interface Loss {
    /** The loss for given scales; one that is not finite is never chosen. */
    double of(ChannelScales scales);
  }

  /**
   * What the search found.
   *
   * @param ratio ρ
   */
  public record Choice(ChannelScales scales, double ratio, double loss) {}

  /**
   * The scales with the least loss, the smallest ρ of several.
   *
   * @param meanAbs mean|x_j| [in]
   * @throws ArithmeticException where no loss is finite
   */
  public static Choice search(float[] meanAbs, Loss loss) {
    return search(meanAbs, RATIOS, loss);
  }

  /**
   * The same over another grid.
   *
   * @param ratios how many values of ρ are tried, evenly from 0 and below 1
   */
  public static Choice search(float[] meanAbs, int ratios, Loss loss) {
    Choice best = null;
    for (int i = 0; i < ratios; i++) {
      double ratio = (double) i / ratios;
      ChannelScales scales = scales(meanAbs, ratio);
      double value = loss.of(scales);
      if (Double.isFinite(value) && (best == null || value < best.loss())) {
        best = new Choice(scales, ratio, value);
      }
    }
    if (best == null) {
      throw new ArithmeticException(
          "AWQ: the loss is finite for none of "
              + ratios
              + " scales; look for NaN in the statistics or the weights");
    }
    return best;
  }

  /**
   * The scales for one ρ, mean|x|^ρ at least 1e-4 before they are normed. A channel that no input
   * reaches keeps 1 and does not count in the norm: it says nothing of how its weights matter.
   */
  static ChannelScales scales(float[] meanAbs, double ratio) {
    double[] powers = new double[meanAbs.length];
    double most = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < powers.length; i++) {
      if (!(meanAbs[i] >= 0) || Float.isInfinite(meanAbs[i])) {
        throw new ArithmeticException(
            String.format(
                Locale.ROOT,
                "channel %d: mean|x| is %s, wanted a finite number of at least 0",
                i,
                meanAbs[i]));
      }
      if (meanAbs[i] > 0) {
        // StrictMath: the same bits on every JDK and processor.
        powers[i] = Math.max(StrictMath.pow(meanAbs[i], ratio), FLOOR);
        most = Math.max(most, powers[i]);
        least = Math.min(least, powers[i]);
      }
    }
    float[] scales = new float[powers.length];
    Arrays.fill(scales, 1);
    double norm = Math.sqrt(most * least);
    for (int i = 0; i < scales.length; i++) {
      if (powers[i] > 0) {
        scales[i] = (float) (powers[i] / norm);
      }
    }
    return new ChannelScales(scales);
  }
}
