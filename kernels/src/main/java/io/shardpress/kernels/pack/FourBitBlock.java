package io.shardpress.kernels.pack;

/**
 * Q4_K: 256 weights in eight parts of 32, w = d·s_j·n − dmin·m_j with n of 4 bits, s and m of 6
 * bits for each part, d and dmin in f16 for all. Bytes: d, dmin, 12 of s and m, 128 of n. s_j and
 * m_j for j below 4 are the lower 6 bits of bytes j and j + 4; of the others the lower 4 bits are
 * the halves of byte j + 4 and the upper 2 the upper bits of bytes j − 4 and j. Of every 64 weights
 * 32 bytes hold the first half below and the second above.
 *
 * <p>Rounded plainly: each part by the range from its least weight, or 0, to its greatest.
 */
final class FourBitBlock {
  private static final int PARTS = 8;
  private static final int PART = 32;
  private static final int LARGEST = 15;
  private static final int LARGEST_SCALE = 63;
  private static final int SCALES = 4;
  private static final int CODES = 16;

  private FourBitBlock() {}

  static void round(float[] weights, int from, byte[] bytes, int at) {
    float[] steps = new float[PARTS];
    float[] depths = new float[PARTS];
    float widest = 0;
    float deepest = 0;
    for (int j = 0; j < PARTS; j++) {
      float least = 0;
      float most = Float.NEGATIVE_INFINITY;
      for (int i = from + j * PART; i < from + (j + 1) * PART; i++) {
        least = Math.min(least, weights[i]);
        most = Math.max(most, weights[i]);
      }
      steps[j] = (most - least) / LARGEST;
      // Subtracted, since the negative of 0 would be -0.
      depths[j] = 0 - least;
      widest = Math.max(widest, steps[j]);
      deepest = Math.max(deepest, depths[j]);
    }
    float d = BlockRounding.half(widest / LARGEST_SCALE);
    float dmin = BlockRounding.half(deepest / LARGEST_SCALE);
    LearnedBlocks.put(bytes, at, d);
    LearnedBlocks.put(bytes, at + 2, dmin);
    for (int j = 0; j < PARTS; j++) {
      int s = BlockRounding.place(steps[j], d, 0, LARGEST_SCALE);
      int m = BlockRounding.place(depths[j], dmin, 0, LARGEST_SCALE);
      scale(bytes, at + SCALES, j, s, m);
      int half = at + CODES + j / 2 * PART;
      int shift = j % 2 * 4;
      for (int i = 0; i < PART; i++) {
        float w = weights[from + j * PART + i] + dmin * m;
        bytes[half + i] |= (byte) (BlockRounding.place(w, d * s, 0, LARGEST) << shift);
      }
    }
  }

  private static void scale(byte[] bytes, int at, int j, int s, int m) {
    if (j < PARTS / 2) {
      bytes[at + j] |= (byte) s;
      bytes[at + j + 4] |= (byte) m;
    } else {
      bytes[at + j + 4] = (byte) ((s & 15) | ((m & 15) << 4));
      bytes[at + j - 4] |= (byte) (s >> 4 << 6);
      bytes[at + j] |= (byte) (m >> 4 << 6);
    }
  }
}
