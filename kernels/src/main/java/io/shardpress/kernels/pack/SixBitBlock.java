package io.shardpress.kernels.pack;

/**
 * Q6_K: 256 weights in sixteen parts of 16, w = d·s_j·(n − 32) with n of 6 bits, s of signed 8 bits
 * for each part, d in f16 for all. Bytes: 128 of the lower four bits of n, 64 of the upper two, 16
 * of s, d. Of each half of 128 weights, in four runs of 32: 64 bytes hold the lower bits, runs 0
 * and 1 below, 2 and 3 above; 32 bytes the upper ones, two bits for each run.
 *
 * <p>Rounded plainly: each part's weight of the largest magnitude is at −32.
 */
final class SixBitBlock {
  private static final int PARTS = 16;
  private static final int PART = 16;
  private static final int LEAST = -32;
  private static final int MOST = 31;
  private static final int LEAST_SCALE = -128;
  private static final int MOST_SCALE = 127;
  private static final int HIGH = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  private SixBitBlock() {}

  static void round(float[] weights, int from, byte[] bytes, int at) {
    float[] steps = new float[PARTS];
    float widest = 0;
    for (int j = 0; j < PARTS; j++) {
      float extreme = 0;
      for (int i = from + j * PART; i < from + (j + 1) * PART; i++) {
        extreme = Math.abs(weights[i]) > Math.abs(extreme) ? weights[i] : extreme;
      }
      steps[j] = extreme / LEAST;
      widest = Math.abs(steps[j]) > Math.abs(widest) ? steps[j] : widest;
    }
    // A block of zeros would have a scale of -0 without what is added.
    float d = BlockRounding.half(widest / LEAST_SCALE) + 0f;
    LearnedBlocks.put(bytes, at + D, d);
    for (int j = 0; j < PARTS; j++) {
      int s = BlockRounding.place(steps[j], d, LEAST_SCALE, MOST_SCALE);
      bytes[at + SCALES + j] = (byte) s;
      for (int i = j * PART; i < (j + 1) * PART; i++) {
        put(bytes, at, i, BlockRounding.place(weights[from + i], d * s, LEAST, MOST) - LEAST);
      }
    }
  }

  private static void put(byte[] bytes, int at, int i, int n) {
    int half = i / 128;
    int run = i / 32 % 4;
    int column = i % 32;
    int low = at + half * 64 + run % 2 * 32 + column;
    bytes[low] |= (byte) ((n & 15) << (run / 2 * 4));
    bytes[at + HIGH + half * 32 + column] |= (byte) (n >> 4 << (run * 2));
  }
}
