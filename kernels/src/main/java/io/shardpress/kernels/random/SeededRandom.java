package io.shardpress.kernels.random;

import java.nio.charset.StandardCharsets;

/**
 * SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), seeded by (seed, block, name): the same numbers
 * wherever and whenever a tensor is learned, on every JDK.
 */
public final class SeededRandom {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  public SeededRandom(long seed, int block, String name) {
    state = mix(seed + GOLDEN_GAMMA);
    state = mix(state ^ (block + GOLDEN_GAMMA));
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      state = mix(state ^ (b & 0xFF) + GOLDEN_GAMMA);
    }
  }

  /** The next 64 bits. */
  public long nextLong() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /** Uniform in [0, bound). The bias, bound/2^63, is of no account for bounds of an int. */
  public int nextInt(int bound) {
    return (int) ((nextLong() >>> 1) % bound);
  }

  /** Uniform in [−limit, limit). */
  public float nextFloat(float limit) {
    return ((nextLong() >>> 40) * 0x1p-23f - 1) * limit;
  }

  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
