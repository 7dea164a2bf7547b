package io.shardpress.kernels.matmul;

import jdk.incubator.vector.FloatVector;

/** The width of vectors: {@code -Dshardpress.vector.bits}, or what the processor prefers. */
public final class VectorWidth {
  private VectorWidth() {}

  /** Bits of the widest vectors to use: 0 (none), 128, 256 or 512. */
  public static int chosen() {
    Integer bits = Integer.getInteger("shardpress.vector.bits");
    return bits == null ? preferred() : bits;
  }

  /** Bits of the processor's vectors, 0 where the JVM runs without the Vector API's module. */
  static int preferred() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return 0;
    }
    return Math.min(512, FloatVector.SPECIES_PREFERRED.vectorBitSize());
  }
}
