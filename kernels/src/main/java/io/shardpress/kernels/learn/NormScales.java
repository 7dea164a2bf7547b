package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.ScaleFormat;

/**
 * A norm's weight that is learned by its logarithm: w = w₀·exp(e), e = 0 at the start, rounded to
 * the stored dtype; gradients pass that rounding as if it were not there, ∂e = ∂w∘w. So no weight
 * changes its sign, and one that is zero stays.
 */
public final class NormScales {
  private final float[] start;
  private final float[] logs;
  private final float offset;
  private final ScaleFormat format;

  /**
   * @param start w₀ as a norm multiplies by it; kept, not copied
   * @param logs e, as long, changed by whoever learns it; kept
   * @param offset 1 where the checkpoint has w − 1 (Gemma), else 0
   * @param format of the checkpoint's numbers
   */
  public NormScales(float[] start, float[] logs, double offset, ScaleFormat format) {
    this.start = start;
    this.logs = logs;
    this.offset = (float) offset;
    this.format = format;
  }

  /** w as the checkpoint will give it, in a new array. */
  public float[] weights() {
    float[] w = new float[start.length];
    for (int i = 0; i < w.length; i++) {
      float value = start[i] * ScaledRounding.exponential(logs[i]);
      // What was not changed stays as it was, whatever dtype that is.
      w[i] = logs[i] == 0 ? start[i] : offset + format.round(value - offset);
    }
    return w;
  }

  /**
   * ∂loss/∂e from ∂loss/∂w.
   *
   * @param ofWeights ∂loss/∂w, summed over the batch
   * @param weights as {@link #weights} gave them to the pass
   */
  public static float[] gradient(double[] ofWeights, float[] weights) {
    float[] gradient = new float[weights.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = (float) (ofWeights[i] * weights[i]);
    }
    return gradient;
  }
}
