package io.shardpress.kernels.quant;

import io.shardpress.kernels.convert.Words;
import io.shardpress.kernels.loops.QuantizationLoops;
import java.util.Objects;

/**
 * Round to nearest from a file's bf16 straight to packed 4-bit codes, symmetric, steps from the
 * whole range: what {@link MinMax}, {@link QuantizedLinear#round} and packing do one after the
 * other, in one pass that stays in the first cache. It keeps work memory: an instance for a thread.
 */
public final class Bf16ToInt4 {
  private static final int BITS = 4;
  private static final int LARGEST_CODE = (1 << BITS) - 1;
  private static final int INFINITY_BITS = 0x7F800000;

  // Pairs of numbers that are taken at a time: 8 KiB each of them and of their codes.
  private static final int CHUNK = 1 << 11;

  private final int length;
  private final ScaleFormat format;
  private final int chunkGroups;
  private final int[] pairs;
  private final int[] codes;
  private final int[] largest;
  private final float[] scales;
  private final double[] sums = new double[2];

  /**
   * @param length elements of a group, see {@link #takes}
   */
  public Bf16ToInt4(int length, ScaleFormat format) {
    if (!takes(length)) {
      throw new IllegalArgumentException(
          "a group has " + length + " elements, wanted a multiple of 8 up to " + 2 * CHUNK);
    }
    this.length = length;
    this.format = format;
    this.chunkGroups = Math.max(1, 2 * CHUNK / length);
    pairs = new int[chunkGroups * length / 2];
    codes = new int[pairs.length];
    largest = new int[chunkGroups];
    scales = new float[chunkGroups];
  }

  /** Whether groups of so many elements are taken: they fill whole words, and a chunk holds one. */
  public static boolean takes(int length) {
    return length > 0 && length % 8 == 0 && length <= 2 * CHUNK;
  }

  /**
   * Quantizes {@code groups} groups.
   *
   * @param weights little-endian bf16
   * @param offset of the first byte
   * @param packed receives words of eight codes, the first in the lowest bits
   * @param packedAt where the first word goes
   * @param steps receives the scale of each group
   * @param stepsAt where the first scale goes
   * @return whether all weights are finite; if not, nothing of the results is of use
   */
  public boolean quantize(
      byte[] weights,
      int offset,
      int groups,
      int[] packed,
      int packedAt,
      float[] steps,
      int stepsAt) {
    Objects.checkFromIndexSize(offset, (long) groups * length * 2, (long) weights.length);
    for (int first = 0; first < groups; first += chunkGroups) {
      int count = Math.min(chunkGroups, groups - first);
      Words.read(weights, offset + first * length * 2, pairs, 0, count * length / 2);
      QuantizationLoops.chosen().largestOfBf16(pairs, count, length / 2, largest);
      for (int g = 0; g < count; g++) {
        if (largest[g] >= INFINITY_BITS) {
          return false;
        }
        scales[g] = format.usable(Float.intBitsToFloat(largest[g]) * 2 / LARGEST_CODE);
        steps[stepsAt + first + g] = scales[g];
      }
      QuantizationLoops.chosen().nibblesOfBf16(pairs, count, length / 2, scales, codes, sums);
      pack(packed, packedAt + first * (length / 8), count * length / 8);
    }
    return true;
  }

  /** Elements of a group. */
  public int length() {
    return length;
  }

  /** Groups that are taken at a time: errors are summed over so many, then over all. */
  public int chunkGroups() {
    return chunkGroups;
  }

  /** Σ(w − ŵ)² of all weights quantized so far. */
  public double squaredError() {
    return sums[0];
  }

  /** Σw² of all weights quantized so far. */
  public double squaredWeights() {
    return sums[1];
  }

  private void pack(int[] packed, int at, int words) {
    for (int i = 0; i < words; i++) {
      packed[at + i] =
          codes[4 * i] | codes[4 * i + 1] << 8 | codes[4 * i + 2] << 16 | codes[4 * i + 3] << 24;
    }
  }
}
