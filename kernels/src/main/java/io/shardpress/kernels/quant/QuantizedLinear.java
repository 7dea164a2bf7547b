package io.shardpress.kernels.quant;

import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;

/**
 * A linear on its grid, or in FP8 or FP4, of which the codes are the bits: codes [out×in] (unsigned
 * bytes) with the steps of each row's groups.
 *
 * @param scheme bits, symmetry and group size
 */
public record QuantizedLinear(int out, int in, WeightScheme scheme, byte[] codes, Steps steps) {
  /** Elements of a group; the whole row per channel. */
  public int groupLength() {
    return in / steps.groups();
  }

  /** Rows [first, first + count) as a linear of their own, in new arrays. */
  public QuantizedLinear rows(int first, int count) {
    int groups = steps.groups();
    int end = first + count;
    Steps some =
        new Steps(
            count,
            groups,
            Arrays.copyOfRange(steps.scales(), first * groups, end * groups),
            Arrays.copyOfRange(steps.zeros(), first * groups, end * groups));
    return new QuantizedLinear(
        count, in, scheme, Arrays.copyOfRange(codes, first * in, end * in), some);
  }

  /** w = scale·(code − zero), or of FP8 and FP4 scale·number(code), [out×in]. */
  public float[] dequantize() {
    float[] w = new float[out * in];
    dequantize(w);
    return w;
  }

  /** w = scale·(code − zero) into [out×in]. */
  public void dequantize(float[] into) {
    if (scheme.form().fp4()) {
      Fp4Rounding.dequantize(codes, out, in, steps, into);
      return;
    }
    if (scheme.floating()) {
      Fp8Rounding.dequantize(codes, out, in, steps, into);
      return;
    }
    int length = groupLength();
    for (int g = 0; g < out * steps.groups(); g++) {
      float scale = steps.scales()[g];
      int zero = steps.zeros()[g];
      for (int i = g * length; i < (g + 1) * length; i++) {
        into[i] = scale * ((codes[i] & 0xFF) - zero);
      }
    }
  }

  /** Rounds w [out×in] to the nearest codes of the given steps. */
  public static QuantizedLinear round(
      float[] w, int out, int in, WeightScheme scheme, Steps steps) {
    Grid grid = Grid.of(scheme);
    byte[] codes = new byte[out * in];
    int length = in / steps.groups();
    for (int g = 0; g < out * steps.groups(); g++) {
      float scale = steps.scales()[g];
      int zero = steps.zeros()[g];
      for (int i = g * length; i < (g + 1) * length; i++) {
        codes[i] = (byte) grid.code(w[i], scale, zero);
      }
    }
    return new QuantizedLinear(out, in, scheme, codes, steps);
  }
}
