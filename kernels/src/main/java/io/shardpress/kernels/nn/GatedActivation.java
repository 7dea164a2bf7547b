package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.loops.TanhLoops;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.schemas.model.BlockTraits.Activation;

/** The gated activation (arXiv 2002.05202), y = f(gate) ∘ up. */
final class GatedActivation {
  private static final int TILE = 1 << 14;

  private GatedActivation() {}

  /** y [n] from gate [n] and up [n]; another array than those. */
  static void forward(Activation f, int n, float[] gate, float[] up, float[] y, Workers workers) {
    workers.forEach(
        (n + TILE - 1) / TILE,
        tile -> {
          int end = Math.min(n, (tile + 1) * TILE);
          switch (f) {
            case SILU -> Loops.chosen().swiGlu(gate, up, y, tile * TILE, end);
            case GELU_TANH -> TanhLoops.chosen().geGlu(gate, up, y, tile * TILE, end);
          }
        });
  }

  /** dgate [n] and dup [n] from dy [n]; other arrays than those read. */
  static void backward(
      Activation f,
      int n,
      float[] gate,
      float[] up,
      float[] dy,
      float[] dgate,
      float[] dup,
      Workers workers) {
    workers.forEach(
        (n + TILE - 1) / TILE,
        tile -> {
          int from = tile * TILE;
          int end = Math.min(n, from + TILE);
          switch (f) {
            case SILU -> Loops.chosen().swiGluBackward(gate, up, dy, dgate, dup, from, end);
            case GELU_TANH -> TanhLoops.chosen().geGluBackward(gate, up, dy, dgate, dup, from, end);
          }
        });
  }
}
