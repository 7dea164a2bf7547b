package io.shardpress.kernels.quant;

/**
 * The bins of an activation histogram, ascending: negative numbers, those nearer to zero than 2⁻³²,
 * positive numbers. A bin is 1/64 of a power of two, that is what numbers share whose first 15 bits
 * are the same; beyond 2³² the last bin takes all.
 */
final class Bins {
  private static final int MANTISSA_BITS = 6;
  private static final int SHIFT = 23 - MANTISSA_BITS;
  private static final int FIRST = (127 - 32) << MANTISSA_BITS;
  private static final int SIDE = 64 << MANTISSA_BITS;

  /** How many there are; the middle one is that of zero. */
  static final int COUNT = 2 * SIDE + 1;

  private Bins() {}

  /** The bin of a finite number. */
  static int of(float x) {
    int bits = Float.floatToRawIntBits(x);
    int place = Math.min(((bits & Integer.MAX_VALUE) >>> SHIFT) - FIRST, SIDE - 1);
    if (place < 0) {
      return SIDE;
    }
    return bits < 0 ? SIDE - 1 - place : SIDE + 1 + place;
  }

  /** The bin's least number. */
  static float from(int bin) {
    return bin <= SIDE ? -edge(SIDE - bin) : edge(bin - SIDE - 1);
  }

  /** The next bin's least number. */
  static float to(int bin) {
    return bin < SIDE ? -edge(SIDE - 1 - bin) : edge(bin - SIDE);
  }

  /** The bin of the same numbers with the other sign. */
  static int opposite(int bin) {
    return COUNT - 1 - bin;
  }

  // The magnitude at which so many bins of one side end.
  private static float edge(int bins) {
    return Float.intBitsToFloat((bins + FIRST) << SHIFT);
  }
}
