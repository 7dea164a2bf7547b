package io.shardpress.spark.foreign;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A weight in compressed-tensors' pack-quantized format: w = scale·(q − zero) with q packed along
 * the rows and zero points down the columns.
 *
 * @param packed weight_packed, I32 [out × words(in)]
 * @param scale weight_scale, [out × groups]
 * @param zeroPoint weight_zero_point, I32 [words(out) × groups]; null where symmetric
 * @param groupIndex weight_g_idx, I32 [in]; null where groups are runs of columns
 * @param outliers null where all of the weight is in its integers
 * @param shape weight_shape, I64 [2]
 */
record PackedWeight(
    TensorRef packed,
    TensorRef scale,
    TensorRef zeroPoint,
    TensorRef groupIndex,
    OutlierWeights outliers,
    TensorRef shape,
    WeightScheme scheme,
    int out,
    int in)
    implements StoredWeight {
  /** Zero points of so many rows fill whole words. */
  private static final int ROW_MULTIPLE = 32;

  @Override
  public List<TensorRef> tensors() {
    List<TensorRef> all = new ArrayList<>(List.of(packed, scale));
    if (zeroPoint != null) {
      all.add(zeroPoint);
    }
    if (groupIndex != null) {
      all.add(groupIndex);
    }
    if (outliers != null) {
      all.add(outliers.indices());
      all.add(outliers.values());
    }
    all.add(shape);
    return all;
  }

  @Override
  public String form() {
    return String.format(
        Locale.ROOT,
        "int%d%s %s packed",
        scheme.bits(),
        scheme.symmetric() ? "" : " with zero points",
        scheme.perChannel() ? "per channel" : "in groups of " + scheme.groupSize());
  }

  @Override
  public float[] rows(TensorReader reader, long rowStart, int rowCount) {
    checkShape(reader);
    byte[] codes = new byte[rowCount * in];
    int[] words = Words.of(reader.readBytes(packed, rowStart, rowCount));
    BitPacking.unpackRows(words, 0, rowCount, in, scheme.bits(), codes, 0);
    float[] scales = reader.readFloats(scale, rowStart, rowCount);
    TensorReader.requireFinite(scale, rowStart, scales);
    Steps steps = new Steps(rowCount, scheme.groups(in), scales, zeros(reader, rowStart, rowCount));
    float[] w =
        groupIndex == null
            ? new QuantizedLinear(rowCount, in, scheme, codes, steps).dequantize()
            : new IndexedLinear(rowCount, in, scheme, codes, steps, groups(reader)).dequantize();
    if (outliers != null) {
      outliers.addTo(w, reader, Math.toIntExact(rowStart), out, in);
    }
    return w;
  }

  /** The group of each column: groups are of one size, by which readers sort the columns. */
  private int[] groups(TensorReader reader) {
    int[] groups = Words.of(reader.readBytes(groupIndex));
    int[] columns = new int[scheme.groups(in)];
    for (int i = 0; i < in; i++) {
      if (groups[i] < 0 || groups[i] >= columns.length) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found group %d at [%d], wanted 0 to %d",
                groupIndex.file(),
                groupIndex.tensor(),
                groups[i],
                i,
                columns.length - 1));
      }
      columns[groups[i]]++;
    }
    for (int g = 0; g < columns.length; g++) {
      if (columns[g] != scheme.groupSize()) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found %d columns of group %d, wanted %d, the group_size of config.json",
                groupIndex.file(),
                groupIndex.tensor(),
                columns[g],
                g,
                scheme.groupSize()));
      }
    }
    return groups;
  }

  /** Codes that mean zero, [rowCount × groups]. */
  private int[] zeros(TensorReader reader, long rowStart, int rowCount) {
    int groups = scheme.groups(in);
    int[] zeros = new int[rowCount * groups];
    if (zeroPoint == null) {
      Arrays.fill(zeros, 1 << (scheme.bits() - 1));
      return zeros;
    }
    int before = (int) (rowStart % ROW_MULTIPLE);
    long firstWord = rowStart / ROW_MULTIPLE * scheme.bits();
    int wordRows = BitPacking.words(before + rowCount, scheme.bits());
    int[] words = Words.of(reader.readBytes(zeroPoint, firstWord, wordRows));
    byte[] codes = BitPacking.unpackColumns(words, before + rowCount, groups, scheme.bits());
    for (int i = 0; i < zeros.length; i++) {
      zeros[i] = codes[before * groups + i] & 0xFF;
    }
    return zeros;
  }

  private void checkShape(TensorReader reader) {
    ByteBuffer sides = ByteBuffer.wrap(reader.readBytes(shape)).order(ByteOrder.LITTLE_ENDIAN);
    long rows = sides.getLong();
    long columns = sides.getLong();
    if (rows != out || columns != in) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: found [%d, %d], wanted [%d, %d] by config.json; the folder holds tensors of another model",
              shape.file(),
              shape.tensor(),
              rows,
              columns,
              out,
              in));
    }
  }
}
