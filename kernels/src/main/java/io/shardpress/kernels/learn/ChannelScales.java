package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.ScaleFormat;
import java.util.Locale;

/**
 * Scales s of a linear's input channels: x·Wᵀ = (x/s)·(W·s)ᵀ, where 1/s folds into what makes x and
 * the right side rounds better (SmoothQuant, arXiv 2211.10438, eq. 3; AWQ, arXiv 2306.00978, eq.
 * 2).
 *
 * @param values [in], all above 0
 */
public record ChannelScales(float[] values) {
  /** So far from 1 that nobody wants more, and near enough that bf16 and f16 keep all bits. */
  private static final long MOST_EXPONENT = 8;

  public ChannelScales {
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] > 0) || Float.isInfinite(values[i])) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "scale %d of %d is %s, wanted a finite number above 0",
                i,
                values.length,
                values[i]));
      }
    }
  }

  /** Channels. */
  public int in() {
    return values.length;
  }

  /**
   * The nearest powers of two: what they are folded into keeps its own dtype without rounding, such
   * as a router that reads the same input.
   */
  public ChannelScales powersOfTwo() {
    float[] powers = new float[in()];
    for (int i = 0; i < powers.length; i++) {
      long exponent = Math.round(StrictMath.log(values[i]) / StrictMath.log(2));
      powers[i] =
          (float)
              StrictMath.pow(
                  2, (double) Math.max(-MOST_EXPONENT, Math.min(MOST_EXPONENT, exponent)));
    }
    return new ChannelScales(powers);
  }

  /** W ← W·s for W [rows×in]. */
  public void scaleColumns(float[] w, int rows) {
    int in = in();
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < in; i++) {
        w[row * in + i] *= values[i];
      }
    }
  }

  /** W ← W/s for W [rows×in]. */
  public void unscaleColumns(float[] w, int rows) {
    int in = in();
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < in; i++) {
        w[row * in + i] /= values[i];
      }
    }
  }

  /**
   * What makes x: v ← v/s for a norm's weight or a bias [in]. A norm that multiplies by 1 + w is
   * given as 1 + w.
   */
  public void unscale(float[] v) {
    unscaleColumns(v, 1);
  }

  /** What makes x, where that is a linear of as many outputs [in×width]: row j ← row j / s_j. */
  public void unscaleRows(float[] w, int width) {
    unscaleRows(w, 0, width);
  }

  /** The same where these are the linear's rows from {@code first} on. */
  public void unscaleRows(float[] w, int first, int width) {
    for (int row = 0; row < in(); row++) {
      int at = (first + row) * width;
      for (int i = at; i < at + width; i++) {
        w[i] /= values[row];
      }
    }
  }

  /** The inputs' second moments after scaling: H_ij ← H_ij/(s_i·s_j) [in×in]. */
  public void unscaleMoments(float[] h) {
    unscaleColumns(h, in());
    unscaleRows(h, in());
  }

  /**
   * The nearest scales by which a norm's weight can be divided so that the quotient is a number of
   * the stored dtype: then the file computes what was measured, and nothing is lost in folding.
   *
   * @param norm [in] what the norm multiplies by
   * @param offset what of that is not stored: 1 where a norm multiplies by 1 + w
   */
  public ChannelScales storable(float[] norm, float offset, ScaleFormat format) {
    float[] exact = new float[in()];
    for (int i = 0; i < exact.length; i++) {
      float stored = format.round(norm[i] / values[i] - offset) + offset;
      float scale = norm[i] / stored;
      // A norm of zero, or one that the format rounds to zero, leaves no scale to tell.
      exact[i] = norm[i] == 0 ? values[i] : scale > 0 && Float.isFinite(scale) ? scale : 1;
    }
    return new ChannelScales(exact);
  }
}
