package io.shardpress.spark.foreign;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A weight as AutoGPTQ and GPTQModel pack it: w[o, i] = scale[g, o]·(q[i, o] − zero[g, o]) with g
 * the group of input i, q packed down the inputs, zero points along the outputs.
 *
 * @param integers qweight, I32 [in·bits/32 × out]
 * @param zeros qzeros, I32 [groups × out·bits/32]
 * @param scales scales, [groups × out]
 * @param groupIndex g_idx, I32 [in]; null where groups are runs of inputs
 * @param lessOne whether zero points are stored less one: the format gptq, in which whole words
 *     were taken one from in every field; not gptq_v2
 */
record GptqWeight(
    TensorRef integers,
    TensorRef zeros,
    TensorRef scales,
    TensorRef groupIndex,
    int bits,
    boolean lessOne,
    int in)
    implements StoredWeight {
  private static final int OUTPUT_MULTIPLE = 32;

  @Override
  public List<TensorRef> tensors() {
    List<TensorRef> all = new ArrayList<>(List.of(integers, scales, zeros));
    if (groupIndex != null) {
      all.add(groupIndex);
    }
    return all;
  }

  @Override
  public String form() {
    return String.format(
        Locale.ROOT, "int%d in %d groups, %s", bits, scales.rows(), lessOne ? "gptq" : "gptq_v2");
  }

  @Override
  public float[] rows(TensorReader reader, long rowStart, int rowCount) {
    int[] words = Words.of(reader.readColumns(integers, rowStart, rowCount));
    byte[] codes = BitPacking.unpackColumns(words, in, rowCount, bits);
    float[] steps = Words.floatColumns(reader, scales, rowStart, rowCount);
    int[] zero = zeros(reader, rowStart, rowCount);
    int[] group = groups(reader);
    float[] w = new float[Math.multiplyExact(rowCount, in)];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < rowCount; o++) {
        int g = group[i] * rowCount + o;
        w[o * in + i] = steps[g] * ((codes[i * rowCount + o] & 0xFF) - zero[g]);
      }
    }
    return w;
  }

  /** Zero points of some outputs, [groups × rowCount]. */
  private int[] zeros(TensorReader reader, long rowStart, int rowCount) {
    int before = (int) (rowStart % OUTPUT_MULTIPLE);
    int outputs = before + rowCount;
    int perRow = BitPacking.words(outputs, bits);
    long first = rowStart / OUTPUT_MULTIPLE * bits;
    int[] words = Words.of(reader.readColumns(zeros, first, perRow));
    if (lessOne) {
      int ones = ones();
      for (int i = 0; i < words.length; i++) {
        words[i] += ones;
      }
    }
    int groups = Math.toIntExact(scales.rows());
    byte[] codes = new byte[groups * outputs];
    BitPacking.unpackRows(words, 0, groups, outputs, bits, codes, 0);
    int[] zero = new int[groups * rowCount];
    for (int g = 0; g < groups; g++) {
      for (int o = 0; o < rowCount; o++) {
        zero[g * rowCount + o] = codes[g * outputs + before + o] & 0xFF;
      }
    }
    return zero;
  }

  /** A one in every field of a word, of which fields fill all bits. */
  private int ones() {
    int ones = 0;
    for (int at = 0; at < Integer.SIZE; at += bits) {
      ones |= 1 << at;
    }
    return ones;
  }

  /** The group of each input. */
  private int[] groups(TensorReader reader) {
    int groups = Math.toIntExact(scales.rows());
    if (groupIndex == null) {
      int[] runs = new int[in];
      for (int i = 0; i < in; i++) {
        runs[i] = i / (in / groups);
      }
      return runs;
    }
    int[] group = Words.of(reader.readBytes(groupIndex));
    for (int i = 0; i < in; i++) {
      if (group[i] < 0 || group[i] >= groups) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found group %d at [%d], wanted 0 to %d",
                groupIndex.file(),
                groupIndex.tensor(),
                group[i],
                i,
                groups - 1));
      }
    }
    return group;
  }
}
