package io.shardpress.kernels.learn;

/**
 * What the targets of a stage's linears are corrected for. With X the full-precision inputs and X̃
 * those behind the quantized layers, the weights that X̃ is multiplied by can make up for some of
 * the difference.
 */
public enum Correction {
  /** Nothing: the targets are the weights. */
  NONE,
  /**
   * The error of the stage's inputs, from P = (X − X̃)ᵀX̃ [in×in]: every linear's output is to be
   * what it is in full precision (QEP, arXiv 2504.09629).
   */
  INPUTS,
  /**
   * The error of what the stage's only linear is added to as well, from D = (Y − Ỹ)ᵀX̃ [out×in],
   * where Y = X·Wᵀ + R is the residual stream behind it, and Ỹ = X̃·Wᵀ + R̃: the stream is to be
   * what it is in full precision, whatever all the linears before did to it.
   */
  OUTPUTS
}
