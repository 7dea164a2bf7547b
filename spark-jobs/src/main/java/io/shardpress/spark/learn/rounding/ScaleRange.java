package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.io.TensorRef;
import java.util.Locale;

/**
 * Weights whose step is beyond the largest scale that a format stores. Such a scale would be
 * clipped, and the weights with it: GGUF's scales are f16, whatever the model's dtype is.
 */
final class ScaleRange {
  private ScaleRange() {}

  /** Whether the format can be too narrow for scales of a model in bf16 or f32. */
  static boolean narrow(ScaleFormat format) {
    return format == ScaleFormat.F16 || format == ScaleFormat.BF16_AND_F16;
  }

  /**
   * Whether a scale is as large as the format's largest, and so may be what was left of another.
   */
  static boolean reached(ScaleFormat format, Steps steps) {
    if (!narrow(format)) {
      return false;
    }
    for (float scale : steps.scales()) {
      if (scale >= format.largest()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Checks weights that may share a group.
   *
   * @throws CheckpointException where their whole range wants a larger scale than the format has
   */
  static void check(
      TensorRef tensor, WeightScheme scheme, ScaleFormat format, float[] w, int from, int to) {
    if (!narrow(format) || scheme.floating()) {
      return;
    }
    float least = 0;
    float most = 0;
    for (int i = from; i < to; i++) {
      least = Math.min(least, w[i]);
      most = Math.max(most, w[i]);
    }
    float codes = (1 << scheme.bits()) - 1;
    double range = scheme.symmetric() ? 2.0 * Math.max(-least, most) : (double) most - least;
    double scale = range / codes;
    if (scale > format.largest()) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: found a weight of %s, for which a scale of %.4g is wanted, %.2f times"
                  + " the largest that GGUF's f16 scales hold (%s): it would be clipped; leave"
                  + " --format gguf out, or --ignore %s",
              tensor.file(),
              tensor.tensor(),
              most > -least ? most : least,
              scale,
              scale / format.largest(),
              format.largest(),
              tensor.tensor().replaceFirst("\\.weight$", "")));
    }
  }
}
