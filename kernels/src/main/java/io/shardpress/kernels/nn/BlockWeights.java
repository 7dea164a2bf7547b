package io.shardpress.kernels.nn;

import io.shardpress.schemas.model.LinearRole;
import java.util.EnumMap;
import java.util.Map;

/**
 * The weights of one decoder block, f32, row-major [out×in].
 *
 * @param linears the seven linears
 * @param biases [out] of those linears that have one
 * @param inputNorm [hidden]
 * @param postNorm [hidden]
 * @param queryNorm [headDim], or null where the family has none
 * @param keyNorm [headDim], or null where the family has none
 */
public record BlockWeights(
    Map<LinearRole, float[]> linears,
    Map<LinearRole, float[]> biases,
    float[] inputNorm,
    float[] postNorm,
    float[] queryNorm,
    float[] keyNorm) {
  /** The weight of a linear, [out×in]. */
  public float[] linear(LinearRole role) {
    return linears.get(role);
  }

  /** The same block with other linears; norms and biases are shared. */
  public BlockWeights with(Map<LinearRole, float[]> replaced) {
    Map<LinearRole, float[]> merged = new EnumMap<>(linears);
    merged.putAll(replaced);
    return new BlockWeights(merged, biases, inputNorm, postNorm, queryNorm, keyNorm);
  }
}
