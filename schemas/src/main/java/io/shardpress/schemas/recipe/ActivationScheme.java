package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * How the inputs of a linear are quantized when the model runs: x ≈ (q − zero)·scale with integers
 * q of {@code bits} bits.
 *
 * @param bits 8
 * @param symmetric true: zero is 0; false: an integer zero point beside the scale
 * @param dynamic true: scale and zero are taken from each token as it comes (strategy token) and
 *     nothing is stored; false: one scale for all (strategy tensor), from calibration
 * @param search whether a static scale is the one of least squared error among those that leave up
 *     to a thousandth of all values outside (observer mse), not that of the whole range (minmax)
 */
public record ActivationScheme(int bits, boolean symmetric, boolean dynamic, boolean search)
    implements Serializable {
  public ActivationScheme {
    if (bits != 8) {
      throw new IllegalArgumentException("bits is " + bits + ", want 8");
    }
    if (dynamic && search) {
      throw new IllegalArgumentException("a dynamic scale is not searched: it is not stored");
    }
  }

  /** A scale from the least and the greatest value. */
  public ActivationScheme(int bits, boolean symmetric, boolean dynamic) {
    this(bits, symmetric, dynamic, false);
  }

  /** compressed-tensors' word for what shares a scale: token or tensor. */
  public String strategy() {
    return dynamic ? "token" : "tensor";
  }

  /** compressed-tensors' word for how a static scale is found. */
  public String observer() {
    return search ? "mse" : "minmax";
  }
}
