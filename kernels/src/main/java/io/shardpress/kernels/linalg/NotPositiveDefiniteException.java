package io.shardpress.kernels.linalg;

import java.util.Locale;

/** A matrix whose Cholesky factor does not exist in f32. */
public final class NotPositiveDefiniteException extends ArithmeticException {
  private static final long serialVersionUID = 1;

  private final int pivot;
  private final double value;

  NotPositiveDefiniteException(int pivot, double value, int size) {
    super(
        String.format(
            Locale.ROOT,
            "the %d×%d matrix is not positive definite: pivot %d is %s where it must be above 0; raise the damping, or look for NaN in the statistics",
            size,
            size,
            pivot,
            value));
    this.pivot = pivot;
    this.value = value;
  }

  /** The row of the matrix where it was found, counted from 0. */
  public int pivot() {
    return pivot;
  }

  /** What remained on the diagonal there: zero, negative, NaN or infinite. */
  public double value() {
    return value;
  }
}
