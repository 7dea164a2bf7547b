package io.shardpress.kernels.quant;

/**
 * Step sizes and zero points of a linear, [out × groups] row-major.
 *
 * @param scales as they are stored (already rounded to the stored dtype), above 0
 * @param zeros codes that mean zero
 */
public record Steps(int out, int groups, float[] scales, int[] zeros) {
  public Steps(int out, int groups) {
    this(out, groups, new float[out * groups], new int[out * groups]);
  }
}
