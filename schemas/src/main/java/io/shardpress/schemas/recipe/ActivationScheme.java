package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.Locale;

/**
 * How the inputs of a linear are quantized when the model runs: x ≈ (q − zero)·scale with integers
 * q of {@code bits} bits, or x ≈ q·scale with FP8 E4M3 numbers q.
 *
 * @param bits 8
 * @param symmetric true: zero is 0; false: an integer zero point beside the scale
 * @param dynamic true: scale and zero are taken from each token as it comes (strategy token) and
 *     nothing is stored; false: one scale for all (strategy tensor), from calibration
 * @param search whether a static scale is the one of least squared error among those that leave up
 *     to a thousandth of all values outside (observer mse), not that of the whole range (minmax)
 * @param floating whether q are FP8 numbers, which have no zero point
 * @param groupSize neighbours of a token that share a dynamic scale (strategy group); 0: all of it
 */
public record ActivationScheme(
    int bits, boolean symmetric, boolean dynamic, boolean search, boolean floating, int groupSize)
    implements Serializable {
  public ActivationScheme {
    if (bits != 8) {
      throw new IllegalArgumentException("bits is " + bits + ", want 8");
    }
    if (dynamic && search) {
      throw new IllegalArgumentException("a dynamic scale is not searched: it is not stored");
    }
    if (floating && (!symmetric || search)) {
      throw new IllegalArgumentException("FP8 has no zero point, and its scale is not searched");
    }
    if (groupSize < 0 || (groupSize > 0 && !(dynamic && floating))) {
      throw new IllegalArgumentException("groups are of dynamic FP8 alone, found " + groupSize);
    }
  }

  /** Integers. */
  public ActivationScheme(int bits, boolean symmetric, boolean dynamic, boolean search) {
    this(bits, symmetric, dynamic, search, false, 0);
  }

  /** A scale from the least and the greatest value. */
  public ActivationScheme(int bits, boolean symmetric, boolean dynamic) {
    this(bits, symmetric, dynamic, false);
  }

  /** FP8 E4M3 by the greatest magnitude. */
  public static ActivationScheme fp8(boolean dynamic, int groupSize) {
    return new ActivationScheme(8, true, dynamic, false, true, groupSize);
  }

  /** compressed-tensors' word for what shares a scale: token, tensor or group. */
  public String strategy() {
    if (groupSize > 0) {
      return "group";
    }
    return dynamic ? "token" : "tensor";
  }

  /** compressed-tensors' word for the kind of number. */
  public String type() {
    return floating ? "float" : "int";
  }

  /** compressed-tensors' word for how a static scale is found. */
  public String observer() {
    return search ? "mse" : "minmax";
  }

  /** Parts are named by it: of integers it says what it did before there was FP8. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "ActivationScheme[bits=%d, symmetric=%b, dynamic=%b, search=%b%s]",
        bits,
        symmetric,
        dynamic,
        search,
        floating ? ", floating=true, groupSize=" + groupSize : "");
  }
}
