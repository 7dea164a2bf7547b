package io.shardpress.kernels.quant;

import io.shardpress.kernels.convert.SmallFloats;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * Weights in FP8 E4M3, as compressed-tensors has them: scale = absmax/448 of all that shares it,
 * rounded to its dtype, then q = e4m3(w/scale), beyond ±448 ±448, and ŵ = q·scale. Codes are the
 * bytes of E4M3; there are no zero points.
 */
public final class Fp8Rounding {
  private Fp8Rounding() {}

  /** The scale of what reaches {@code absMax}, as it is stored. */
  public static float scale(float absMax, ScaleFormat format) {
    return format.usable(absMax / SmallFloats.E4M3_LARGEST);
  }

  /** A scale for each row of w [rows × in] by its greatest magnitude. */
  public static Steps perRow(float[] w, int rows, int in, ScaleFormat format) {
    Steps steps = new Steps(rows, 1);
    for (int row = 0; row < rows; row++) {
      steps.scales()[row] = scale(absMax(w, row * in, in), format);
    }
    return steps;
  }

  /** The same scale for every row. */
  public static Steps all(float absMax, int rows, ScaleFormat format) {
    Steps steps = new Steps(rows, 1);
    java.util.Arrays.fill(steps.scales(), scale(absMax, format));
    return steps;
  }

  /**
   * A scale for every block, repeated for each of its rows.
   *
   * @param w [count × in]: all rows of the blocks that these rows lie in
   * @param before rows of w before the first that is wanted, less than a block's
   * @param rows that are wanted
   */
  public static Steps inBlocks(
      float[] w, int count, int in, int before, int rows, ScaleFormat format) {
    int side = WeightForm.BLOCK;
    int across = (in + side - 1) / side;
    int down = (count + side - 1) / side;
    float[] absMax = new float[down * across];
    for (int row = 0; row < count; row++) {
      for (int block = 0; block < across; block++) {
        int at = row / side * across + block;
        int from = row * in + block * side;
        int length = Math.min(side, in - block * side);
        absMax[at] = Math.max(absMax[at], absMax(w, from, length));
      }
    }
    Steps steps = new Steps(rows, across);
    for (int row = 0; row < rows; row++) {
      for (int block = 0; block < across; block++) {
        float most = absMax[(before + row) / side * across + block];
        steps.scales()[row * across + block] = scale(most, format);
      }
    }
    return steps;
  }

  /** The largest magnitude of w [from, from + length). */
  static float absMax(float[] w, int from, int length) {
    float most = 0;
    for (int i = from; i < from + length; i++) {
      most = Math.max(most, Math.abs(w[i]));
    }
    return most;
  }

  /** Rounds w [rows × in] to the nearest codes of the given scales. */
  public static QuantizedLinear round(
      float[] w, int rows, int in, WeightScheme scheme, Steps steps) {
    byte[] codes = new byte[rows * in];
    int side = length(in, steps);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < in; column++) {
        float scale = steps.scales()[row * steps.groups() + column / side];
        codes[row * in + column] = SmallFloats.toE4m3(w[row * in + column] / scale);
      }
    }
    return new QuantizedLinear(rows, in, scheme, codes, steps);
  }

  /** ŵ = q·scale into [rows × in]. */
  static void dequantize(byte[] codes, int rows, int in, Steps steps, float[] into) {
    int side = length(in, steps);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < in; column++) {
        float scale = steps.scales()[row * steps.groups() + column / side];
        into[row * in + column] = SmallFloats.fromE4m3(codes[row * in + column]) * scale;
      }
    }
  }

  /** Columns that share a scale; the last of them may be fewer. */
  private static int length(int in, Steps steps) {
    return steps.groups() == 1 ? Math.max(in, 1) : WeightForm.BLOCK;
  }
}
