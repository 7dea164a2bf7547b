package io.shardpress.schemas.model;

import java.io.Serializable;

/**
 * What all blocks of a family have that Llama's have not.
 *
 * @param fused whether q, k and v are one linear, and gate and up another (Phi-3)
 * @param normsFromOne whether norms multiply by 1 + w (Gemma)
 * @param outputNorms whether what attention and feed-forward give is normed before it is added to
 *     the residual stream (Gemma 2 and 3)
 * @param activation of the gate
 * @param queryScalar attention's scores are divided by its square root
 * @param scoreCap scores s become cap·tanh(s/cap); 0 for none
 * @param logitCap the same of logits
 * @param scaledEmbedding whether embeddings are multiplied by √hidden (Gemma)
 */
public record BlockTraits(
    boolean fused,
    boolean normsFromOne,
    boolean outputNorms,
    Activation activation,
    double queryScalar,
    double scoreCap,
    double logitCap,
    boolean scaledEmbedding)
    implements Serializable {
  /** Activations of the gate. */
  public enum Activation {
    /** x·σ(x). */
    SILU,
    /** x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
    GELU_TANH
  }

  /** Llama's, with heads of a width. */
  public static BlockTraits plain(int headDim) {
    return new BlockTraits(false, false, false, Activation.SILU, headDim, 0, 0, false);
  }
}
