package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;

/** Made on first use, so that a process that never computes loads no Vector API. */
final class Chosen {
  static final Loops LOOPS = VectorWidth.chosen() == 0 ? new ScalarLoops() : new VectorLoops();

  private Chosen() {}
}
