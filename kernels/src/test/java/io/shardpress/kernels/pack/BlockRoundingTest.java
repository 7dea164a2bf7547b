package io.shardpress.kernels.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.gguf.GgufType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks read by scalar loops written from the format's definition. */
class BlockRoundingTest {
  private static final int COUNT = 1024;

  /** As llama.cpp lays it out: two nibbles of 32 columns side by side, six bits of scales. */
  private static float[] readQ4K(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    float[] weights = new float[bytes.length / 144 * 256];
    for (int block = 0; block < weights.length / 256; block++) {
      int at = block * 144;
      float d = half(in.getShort(at));
      float dmin = half(in.getShort(at + 2));
      int y = block * 256;
      int q = at + 16;
      for (int is = 0; is < 8; is += 2) {
        int[] low = scaleAndMin(bytes, at + 4, is);
        int[] high = scaleAndMin(bytes, at + 4, is + 1);
        for (int l = 0; l < 32; l++) {
          weights[y + l] = d * low[0] * (bytes[q + l] & 15) - dmin * low[1];
        }
        for (int l = 0; l < 32; l++) {
          weights[y + 32 + l] = d * high[0] * (bytes[q + l] >> 4 & 15) - dmin * high[1];
        }
        y += 64;
        q += 32;
      }
    }
    return weights;
  }

  private static int[] scaleAndMin(byte[] s, int at, int j) {
    if (j < 4) {
      return new int[] {s[at + j] & 63, s[at + j + 4] & 63};
    }
    return new int[] {
      (s[at + j + 4] & 15) | (((s[at + j - 4] >> 6) & 3) << 4),
      ((s[at + j + 4] >> 4) & 15) | (((s[at + j] >> 6) & 3) << 4)
    };
  }

  /** Four runs of 32 out of 64 low and 32 high bytes, twice a block. */
  private static float[] readQ6K(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    float[] weights = new float[bytes.length / 210 * 256];
    for (int block = 0; block < weights.length / 256; block++) {
      int at = block * 210;
      float d = half(in.getShort(at + 208));
      for (int half = 0; half < 2; half++) {
        int y = block * 256 + half * 128;
        int ql = at + half * 64;
        int qh = at + 128 + half * 32;
        int sc = at + 192 + half * 8;
        for (int l = 0; l < 32; l++) {
          int is = l / 16;
          int q1 = (bytes[ql + l] & 15) | ((bytes[qh + l] & 3) << 4);
          int q2 = (bytes[ql + l + 32] & 15) | (((bytes[qh + l] >> 2) & 3) << 4);
          int q3 = ((bytes[ql + l] >> 4) & 15) | (((bytes[qh + l] >> 4) & 3) << 4);
          int q4 = ((bytes[ql + l + 32] >> 4) & 15) | (((bytes[qh + l] >> 6) & 3) << 4);
          weights[y + l] = d * bytes[sc + is] * (q1 - 32);
          weights[y + l + 32] = d * bytes[sc + is + 2] * (q2 - 32);
          weights[y + l + 64] = d * bytes[sc + is + 4] * (q3 - 32);
          weights[y + l + 96] = d * bytes[sc + is + 6] * (q4 - 32);
        }
      }
    }
    return weights;
  }

  private static float[] readQ8(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    float[] weights = new float[bytes.length / 34 * 32];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = half(in.getShort(i / 32 * 34)) * bytes[i / 32 * 34 + 2 + i % 32];
    }
    return weights;
  }

  private static float half(short bits) {
    int magnitude = bits & 0x7FFF;
    float value =
        magnitude < 1024
            ? magnitude * 0x1p-24f
            : Math.scalb((float) ((magnitude & 1023) | 1024), (magnitude >> 10) - 25);
    return bits < 0 ? -value : value;
  }

  /** Parts of very different sizes, offsets and signs, one of them zero. */
  private static float[] weights(int seed) {
    Random random = new Random(seed);
    float[] weights = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      int part = i / 16;
      weights[i] =
          part % 7 == 3
              ? 0
              : (float) ((random.nextGaussian() + part % 5 - 2) * 0.01 * (1 + part % 11));
    }
    return weights;
  }

  /** Range of a part, in which all parts of its block count to some degree. */
  private static float range(float[] w, int from, int length, boolean signed) {
    float least = 0;
    float most = signed ? 0 : Float.NEGATIVE_INFINITY;
    for (int i = from; i < from + length; i++) {
      least = Math.min(least, w[i]);
      most = Math.max(most, w[i]);
    }
    return signed ? Math.max(-least, most) : most - least;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void fourBitsAreWithinAStepOfTheirPart(int seed) {
    float[] w = weights(seed);
    float[] found = readQ4K(BlockRounding.round(GgufType.Q4_K, w, 0, COUNT));
    for (int block = 0; block < COUNT; block += 256) {
      float widest = 0;
      float deepest = 0;
      for (int part = block; part < block + 256; part += 32) {
        widest = Math.max(widest, range(w, part, 32, false) / 15);
        for (int i = part; i < part + 32; i++) {
          deepest = Math.max(deepest, -w[i]);
        }
      }
      for (int i = block; i < block + 256; i++) {
        float step = range(w, i / 32 * 32, 32, false) / 15;
        // Half a step; a scale that is half of its own unit too small, fifteen times; a minimum
        // that
        // is half of its unit off; f16.
        double bound = 0.5 * step + 15 * 0.51 * widest / 63 + 0.51 * deepest / 63;
        assertThat((double) Math.abs(found[i] - w[i])).as("[%d]", i).isLessThanOrEqualTo(bound);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void sixBitsAreWithinAStepOfTheirPart(int seed) {
    float[] w = weights(seed);
    float[] found = readQ6K(BlockRounding.round(GgufType.Q6_K, w, 0, COUNT));
    for (int i = 0; i < COUNT; i++) {
      float step = range(w, i / 16 * 16, 16, true) / 32;
      float widest = 0;
      for (int part = i / 256 * 256; part < i / 256 * 256 + 256; part += 16) {
        widest = Math.max(widest, range(w, part, 16, true) / 32);
      }
      // Half a step, at the far end a whole one; a scale half of its unit off, 32 times; f16.
      double bound = 1.01 * step + 32 * 0.51 * widest / 127;
      assertThat((double) Math.abs(found[i] - w[i])).as("[%d]", i).isLessThanOrEqualTo(bound);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void eightBitsAreWithinHalfAStep(int seed) {
    float[] w = weights(seed);
    float[] found = readQ8(BlockRounding.round(GgufType.Q8_0, w, 0, COUNT));
    for (int i = 0; i < COUNT; i++) {
      float step = range(w, i / 32 * 32, 32, true) / 127;
      // The largest weight's place may lie 2^-11 of 127 beyond the end.
      assertThat(Math.abs(found[i] - w[i])).as("[%d]", i).isLessThanOrEqualTo(0.57f * step);
    }
  }

  /** What the grids have is kept exactly. */
  @Test
  void placesOnTheGridStay() {
    float[] w = new float[256];
    for (int i = 0; i < 256; i++) {
      int part = i / 16;
      // Each part's scale is 0.5·s, its extreme −32·0.5·s.
      int s = -128 + 8 * part;
      w[i] = 0.5f * s * (i % 16 == 0 ? -32 : i % 16 * 4 - 30);
    }
    assertThat(readQ6K(BlockRounding.round(GgufType.Q6_K, w, 0, 256))).containsExactly(w);
    for (int i = 0; i < 256; i++) {
      int part = i / 32;
      int s = 63 - part;
      int m = 63 - 5 * part;
      w[i] = 0.25f * s * (i % 32 % 16) - 0.125f * m;
    }
    assertThat(readQ4K(BlockRounding.round(GgufType.Q4_K, w, 0, 256))).containsExactly(w);
  }

  @Test
  void zerosStayZeroAndF16IsNotExceeded() {
    float[] zeros = new float[256];
    assertThat(readQ4K(BlockRounding.round(GgufType.Q4_K, zeros, 0, 256))).containsOnly(0f);
    assertThat(readQ6K(BlockRounding.round(GgufType.Q6_K, zeros, 0, 256))).containsOnly(0f);
    assertThat(readQ8(BlockRounding.round(GgufType.Q8_0, zeros, 0, 256))).containsOnly(0f);
    assertThatThrownBy(() -> BlockRounding.round(GgufType.F16, new float[] {1, 70000}, 0, 2))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("70000.0");
  }
}
