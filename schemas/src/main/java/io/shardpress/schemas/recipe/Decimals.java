package io.shardpress.schemas.recipe;

import java.math.BigDecimal;
import java.math.MathContext;

/** Doubles as text that is the same on every JDK (Double.toString changed with JDK 19). */
final class Decimals {
  /** Decimal digits that tell any two doubles apart. */
  private static final int ENOUGH_DIGITS = 17;

  private Decimals() {}

  /**
   * The shortest plain decimal that reads back as {@code value}, with a point in it: 0.001, 1.0.
   */
  static String text(double value) {
    BigDecimal exact = new BigDecimal(value);
    BigDecimal shortest = exact;
    for (int digits = 1; digits <= ENOUGH_DIGITS; digits++) {
      shortest = exact.round(new MathContext(digits));
      if (shortest.doubleValue() == value) {
        break;
      }
    }
    String plain = shortest.signum() == 0 ? "0" : shortest.stripTrailingZeros().toPlainString();
    return plain.contains(".") ? plain : plain + ".0";
  }
}
