package io.shardpress.kernels.learn;

import io.shardpress.kernels.quant.ScaleFormat;

/** Scales by their natural logarithms, as they are learned. */
public final class LogScales {
  private LogScales() {}

  /** log s, in a new array. */
  public static float[] of(float[] scales) {
    return ScaledRounding.logarithms(scales);
  }

  /** s = exp(d) as the file will hold it, in a new array. */
  public static float[] stored(float[] d, ScaleFormat format) {
    float[] scales = new float[d.length];
    for (int i = 0; i < d.length; i++) {
      scales[i] = format.usable(ScaledRounding.exponential(d[i]));
    }
    return scales;
  }
}
