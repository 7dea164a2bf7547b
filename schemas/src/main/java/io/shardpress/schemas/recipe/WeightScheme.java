package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * How the weights of a linear are stored: w ≈ (q − zero)·scale with integers q of {@code bits}
 * bits, one scale for every {@code groupSize} inputs of a row.
 *
 * @param bits 2, 3, 4 or 8
 * @param symmetric true: zero is 0 and not stored; false: an integer zero point for each scale
 * @param groupSize inputs that share a scale; 0: the whole row (per channel)
 * @param order of the columns for learners that have one, and so of those that share a scale
 * @param outliers whether the largest weights lie beside the integers, in full precision
 */
public record WeightScheme(
    int bits, boolean symmetric, int groupSize, ActOrder order, boolean outliers)
    implements Serializable {
  public WeightScheme {
    if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
      throw new IllegalArgumentException("bits is " + bits + ", want 2, 3, 4 or 8");
    }
    if (groupSize < 0) {
      throw new IllegalArgumentException("groupSize is " + groupSize + ", want 0 or more");
    }
  }

  /** Without an order and outliers. */
  public WeightScheme(int bits, boolean symmetric, int groupSize) {
    this(bits, symmetric, groupSize, ActOrder.NONE, false);
  }

  /** The same with another order. */
  public WeightScheme withOrder(ActOrder other) {
    return new WeightScheme(bits, symmetric, groupSize, other, outliers);
  }

  /** The same with outliers or without. */
  public WeightScheme withOutliers(boolean kept) {
    return new WeightScheme(bits, symmetric, groupSize, order, kept);
  }

  /** Whether inputs that share a scale are no neighbours, so that an index says which do. */
  public boolean indexed() {
    return order == ActOrder.GROUP;
  }

  /** Whether a row has one scale only. */
  public boolean perChannel() {
    return groupSize == 0;
  }

  /** Whether rows of {@code in} elements split into whole groups. */
  public boolean divides(long in) {
    return groupSize == 0 || in % groupSize == 0;
  }

  /**
   * Scales of a row of {@code in} elements.
   *
   * @throws IllegalArgumentException where the group size does not divide {@code in}
   */
  public int groups(int in) {
    if (!divides(in)) {
      throw new IllegalArgumentException(
          "group size " + groupSize + " does not divide " + in + " inputs");
    }
    return groupSize == 0 ? 1 : in / groupSize;
  }

  /** The scheme's name, W4A16 or W4A16_ASYM; the group size is not part of it. */
  public String name() {
    return "W" + bits + "A16" + (symmetric ? "" : "_ASYM");
  }
}
