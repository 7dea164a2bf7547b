package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.Locale;

/**
 * How the weights of a linear are stored: w ≈ (q − zero)·scale with integers q of {@code bits}
 * bits, one scale for every {@code groupSize} inputs of a row; or w ≈ q·scale with FP8 or FP4
 * numbers q.
 *
 * @param bits 2, 3, 4 or 8; 8 for FP8, 4 for FP4
 * @param symmetric true: zero is 0 and not stored; false: an integer zero point for each scale
 * @param groupSize inputs that share a scale; 0: the whole row (per channel), or with one scale for
 *     the whole weight all of them
 * @param order of the columns for learners that have one, and so of those that share a scale
 * @param outliers whether the largest weights lie beside the integers, in full precision
 * @param form integers, FP8 or FP4
 */
public record WeightScheme(
    int bits, boolean symmetric, int groupSize, ActOrder order, boolean outliers, WeightForm form)
    implements Serializable {
  public WeightScheme {
    if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
      throw new IllegalArgumentException("bits is " + bits + ", want 2, 3, 4 or 8");
    }
    if (groupSize < 0) {
      throw new IllegalArgumentException("groupSize is " + groupSize + ", want 0 or more");
    }
    if (form.floating()
        && (bits != form.bits() || !symmetric || order != ActOrder.NONE || outliers)) {
      throw new IllegalArgumentException(
          form + " has " + form.bits() + " bits, no zero points, orders or outliers");
    }
  }

  /** Without an order and outliers. */
  public WeightScheme(int bits, boolean symmetric, int groupSize) {
    this(bits, symmetric, groupSize, ActOrder.NONE, false, WeightForm.INT);
  }

  /** Symmetric integers with one step for the whole weight. */
  public static WeightScheme perTensor(int bits) {
    return new WeightScheme(bits, true, 0, ActOrder.NONE, false, WeightForm.INT_TENSOR);
  }

  /** Floating-point numbers with scales as the form has them. */
  public static WeightScheme of(WeightForm form) {
    return new WeightScheme(form.bits(), true, form.groupSize(), ActOrder.NONE, false, form);
  }

  /** Whether weights are stored as floating-point numbers. */
  public boolean floating() {
    return form.floating();
  }

  /** The same with another order. */
  public WeightScheme withOrder(ActOrder other) {
    return new WeightScheme(bits, symmetric, groupSize, other, outliers, form);
  }

  /** The same with outliers or without. */
  public WeightScheme withOutliers(boolean kept) {
    return new WeightScheme(bits, symmetric, groupSize, order, kept, form);
  }

  /** Whether inputs that share a scale are no neighbours, so that an index says which do. */
  public boolean indexed() {
    return order == ActOrder.GROUP;
  }

  /** Whether every row has one scale. */
  public boolean perChannel() {
    return groupSize == 0 && form != WeightForm.FP8_TENSOR;
  }

  /** What shares a scale, for people: per channel, group 128, per tensor, block 128x128. */
  public String sharing() {
    return switch (form) {
      case INT -> perChannel() ? "per channel" : "group " + groupSize;
      case INT_TENSOR, FP8_TENSOR -> "per tensor";
      case FP8_CHANNEL -> "per channel";
      case FP8_BLOCK ->
          String.format(Locale.ROOT, "block %dx%d", WeightForm.BLOCK, WeightForm.BLOCK);
      case MXFP4, NVFP4 -> "group " + groupSize;
    };
  }

  /**
   * Whether rows of {@code in} elements split into whole groups; blocks may end in a smaller one.
   */
  public boolean divides(long in) {
    return groupSize == 0 || form == WeightForm.FP8_BLOCK || in % groupSize == 0;
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
    return groupSize == 0 ? 1 : (in + groupSize - 1) / groupSize;
  }

  /**
   * The scheme's name, W4A16 or W4A16_ASYM, FP8_CHANNEL, MXFP4A16; the group size is not part of
   * it.
   */
  public String name() {
    if (form.floating()) {
      return form.fp4() ? form + "A16" : form.name();
    }
    return "W" + bits + "A16" + (symmetric ? "" : "_ASYM");
  }

  /** Parts are named by it: of integers it says what it did before there was FP8. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "WeightScheme[bits=%d, symmetric=%b, groupSize=%d, order=%s, outliers=%b%s]",
        bits,
        symmetric,
        groupSize,
        order,
        outliers,
        form == WeightForm.INT ? "" : ", form=" + form);
  }
}
