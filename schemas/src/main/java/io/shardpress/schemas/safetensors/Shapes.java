package io.shardpress.schemas.safetensors;

import java.util.List;

/** Element counts of shapes. */
final class Shapes {
  private Shapes() {}

  /**
   * Product of the sides, 1 for [].
   *
   * @throws ArithmeticException where the product of the sides so far overflows a long; like the
   *     format's own reader, also if a later side is 0
   */
  static long elements(List<Long> shape) {
    long product = 1;
    for (long side : shape) {
      product = Math.multiplyExact(product, side);
    }
    return product;
  }
}
