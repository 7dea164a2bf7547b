package io.shardpress.kernels.quant;

import io.shardpress.schemas.recipe.WeightScheme;

/**
 * A linear on its grid whose groups are not runs of columns: column i has the step of group
 * groupIndex[i], which checkpoints store as weight_g_idx.
 *
 * @param codes [out×in] unsigned bytes, columns where the weight has them
 * @param steps of each row's groups
 * @param groupIndex [in]
 */
public record IndexedLinear(
    int out, int in, WeightScheme scheme, byte[] codes, Steps steps, int[] groupIndex) {
  /** w = scale·(code − zero), [out×in]. */
  public float[] dequantize() {
    float[] w = new float[out * in];
    for (int row = 0; row < out; row++) {
      for (int i = 0; i < in; i++) {
        int group = row * steps.groups() + groupIndex[i];
        int code = codes[row * in + i] & 0xFF;
        w[row * in + i] = steps.scales()[group] * (code - steps.zeros()[group]);
      }
    }
    return w;
  }
}
