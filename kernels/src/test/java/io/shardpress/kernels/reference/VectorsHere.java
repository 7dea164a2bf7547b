package io.shardpress.kernels.reference;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardpress.kernels.matmul.VectorWidth;

/** For tests that the build runs once for each width of vectors. */
public final class VectorsHere {
  private VectorsHere() {}

  /** Leaves the tests out where the processor has no vectors of the width that is asked for. */
  public static void assumeWidth() {
    try {
      VectorWidth.chosen();
    } catch (UnsupportedOperationException e) {
      assumeTrue(false, e.getMessage());
    }
  }
}
