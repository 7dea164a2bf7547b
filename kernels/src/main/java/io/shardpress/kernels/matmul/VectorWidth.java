package io.shardpress.kernels.matmul;

import java.util.Locale;
import jdk.incubator.vector.FloatVector;

/** The width of vectors: {@code -Dshardpress.vector.bits}, or what the processor prefers. */
public final class VectorWidth {
  private static final String PROPERTY = "shardpress.vector.bits";

  private VectorWidth() {}

  /**
   * Bits of the vectors to use: 128, 256, 512, or 0 for none.
   *
   * @throws IllegalArgumentException where the property is none of these
   * @throws UnsupportedOperationException where the processor has no vectors of that width
   */
  public static int chosen() {
    String wanted = System.getProperty(PROPERTY);
    return wanted == null ? preferred() : parse(PROPERTY, wanted);
  }

  /** Whether vectors would be used if the JVM had been started with them. */
  static boolean isMissing() {
    return System.getProperty(PROPERTY) == null && preferred() == 0;
  }

  /** Bits of the processor's vectors, 0 where the JVM runs without the Vector API's module. */
  static int preferred() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return 0;
    }
    return Math.min(512, FloatVector.SPECIES_PREFERRED.vectorBitSize());
  }

  static int parse(String what, String wanted) {
    int bits =
        switch (wanted) {
          case "0" -> 0;
          case "128" -> 128;
          case "256" -> 256;
          case "512" -> 512;
          default ->
              throw new IllegalArgumentException(
                  "%s is %s, must be 0, 128, 256 or 512".formatted(what, wanted));
        };
    if (bits > preferred()) {
      throw new UnsupportedOperationException(
          String.format(
              Locale.ROOT,
              "%s asks for vectors of %d bits, but this JVM has %d; run it with --add-modules jdk.incubator.vector, on a processor that has them, or set -D%s=%d",
              what,
              bits,
              preferred(),
              PROPERTY,
              preferred()));
    }
    return bits;
  }
}
