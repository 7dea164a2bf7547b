package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.parallel.Workers;

/** The gated activation (arXiv 2002.05202), y = silu(gate) ∘ up, silu(x) = x·σ(x). */
final class SwiGlu {
  private static final int TILE = 1 << 14;

  private SwiGlu() {}

  /** y [n] from gate [n] and up [n]; another array than those. */
  static void forward(int n, float[] gate, float[] up, float[] y, Workers workers) {
    workers.forEach(
        (n + TILE - 1) / TILE,
        tile -> {
          int end = Math.min(n, (tile + 1) * TILE);
          Loops.chosen().swiGlu(gate, up, y, tile * TILE, end);
        });
  }

  /** dgate [n] and dup [n] from dy [n]; other arrays than those read. */
  static void backward(
      int n, float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, Workers workers) {
    workers.forEach(
        (n + TILE - 1) / TILE,
        tile -> {
          int end = Math.min(n, (tile + 1) * TILE);
          Loops.chosen().swiGluBackward(gate, up, dy, dgate, dup, tile * TILE, end);
        });
  }
}
