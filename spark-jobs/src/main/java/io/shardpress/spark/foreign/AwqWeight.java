package io.shardpress.spark.foreign;

import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Locale;

/**
 * A weight as AutoAWQ's gemm version packs it: w[o, i] = scale[g, o]·(q[i, o] − zero[g, o]), eight
 * outputs to a word for each input, of which the even ones come first.
 *
 * @param integers qweight, I32 [in × out/8]
 * @param zeros qzeros, I32 [groups × out/8]
 * @param scales scales, [groups × out]
 */
record AwqWeight(TensorRef integers, TensorRef zeros, TensorRef scales) implements StoredWeight {
  /** Outputs of a word. */
  private static final int PACKED = 8;

  /** Where output k of a word's eight lies, in nibbles from the lowest: 0, 2, 4, 6, 1, 3, 5, 7. */
  private static final int[] NIBBLE = {0, 4, 1, 5, 2, 6, 3, 7};

  @Override
  public List<TensorRef> tensors() {
    return List.of(integers, scales, zeros);
  }

  @Override
  public String form() {
    return String.format(Locale.ROOT, "int4 in %d groups, awq gemm", scales.rows());
  }

  @Override
  public float[] rows(TensorReader reader, long rowStart, int rowCount) {
    int in = Math.toIntExact(integers.rows());
    int groups = Math.toIntExact(scales.rows());
    int before = (int) (rowStart % PACKED);
    int perRow = (before + rowCount + PACKED - 1) / PACKED;
    int[] words = Words.of(reader.readColumns(integers, rowStart / PACKED, perRow));
    int[] zero = Words.of(reader.readColumns(zeros, rowStart / PACKED, perRow));
    float[] steps = Words.floatColumns(reader, scales, rowStart, rowCount);
    float[] w = new float[Math.multiplyExact(rowCount, in)];
    for (int i = 0; i < in; i++) {
      int g = i / (in / groups);
      for (int o = 0; o < rowCount; o++) {
        int q = nibble(words, i * perRow, before + o) - nibble(zero, g * perRow, before + o);
        w[o * in + i] = steps[g * rowCount + o] * q;
      }
    }
    return w;
  }

  private static int nibble(int[] words, int row, int output) {
    return (words[row + output / PACKED] >>> (4 * NIBBLE[output % PACKED])) & 15;
  }
}
