package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.LinearRole;
import java.util.Map;
import java.util.TreeMap;

/**
 * The weights of one decoder block, f32, row-major [out×in].
 *
 * @param linears its linears; of a mixture of experts those of attention
 * @param biases [out] of those linears that have one
 * @param inputNorm [hidden]
 * @param postNorm [hidden], before the feed-forward
 * @param queryNorm [headDim], or null where the family has none
 * @param keyNorm [headDim], or null where the family has none
 * @param outputNorms null where the family has none
 * @param mixture null where the block has one feed-forward
 */
public record BlockWeights(
    Map<LinearRole, float[]> linears,
    Map<LinearRole, float[]> biases,
    float[] inputNorm,
    float[] postNorm,
    float[] queryNorm,
    float[] keyNorm,
    OutputNorms outputNorms,
    MixtureWeights mixture) {
  /**
   * Norms of what is added to the residual stream.
   *
   * @param attention [hidden], of what o gives
   * @param feedForward [hidden], of what down gives
   */
  public record OutputNorms(float[] attention, float[] feedForward) {}

  /** A block as Llama's or Qwen's. */
  public BlockWeights(
      Map<LinearRole, float[]> linears,
      Map<LinearRole, float[]> biases,
      float[] inputNorm,
      float[] postNorm,
      float[] queryNorm,
      float[] keyNorm) {
    this(linears, biases, inputNorm, postNorm, queryNorm, keyNorm, null, null);
  }

  /** The weight of a linear, [out×in]. */
  public float[] linear(LinearRole role) {
    return linears.get(role);
  }

  /** The same block with other linears; norms and biases are shared. */
  public BlockWeights with(Map<LinearRole, float[]> replaced) {
    Map<LinearRole, float[]> merged = new TreeMap<>(linears);
    merged.putAll(replaced);
    return new BlockWeights(
        merged, biases, inputNorm, postNorm, queryNorm, keyNorm, outputNorms, mixture);
  }

  /** The same block with another mixture of experts. */
  public BlockWeights with(MixtureWeights other) {
    return new BlockWeights(
        linears, biases, inputNorm, postNorm, queryNorm, keyNorm, outputNorms, other);
  }
}
