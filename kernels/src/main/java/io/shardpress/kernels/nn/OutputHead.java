package io.shardpress.kernels.nn;

import io.shardpress.kernels.loops.TanhLoops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;

/** What follows the last block: logits = norm(x)·headᵀ, a tile of the vocabulary at a time. */
public final class OutputHead {
  private final int hidden;
  private final float cap;
  private final Matmul matmul;

  /** A head whose logits stay as they are. */
  public OutputHead(int hidden, Matmul matmul) {
    this(hidden, 0, matmul);
  }

  /**
   * @param cap logits x become cap·tanh(x/cap); 0 for none
   */
  public OutputHead(int hidden, double cap, Matmul matmul) {
    this.hidden = hidden;
    this.cap = (float) cap;
    this.matmul = matmul;
  }

  /**
   * Logits of some tokens at all positions.
   *
   * @param normed [positions × hidden], after the final {@link RmsNorm}
   * @param head the tokens' rows of lm_head, [tokens × hidden]
   * @param logits receives [positions × tokens]
   */
  public void logits(
      float[] normed, int positions, float[] head, int tokens, float[] logits, Workers workers) {
    matmul.multiply(
        Op.AS_IS,
        Op.TRANSPOSED,
        positions,
        tokens,
        hidden,
        1,
        normed,
        0,
        hidden,
        head,
        0,
        hidden,
        0,
        logits,
        0,
        tokens,
        workers);
    if (cap != 0) {
      TanhLoops.chosen().softCap(logits, 0, positions * tokens, cap);
    }
  }
}
