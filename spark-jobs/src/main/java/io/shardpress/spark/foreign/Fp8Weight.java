package io.shardpress.spark.foreign;

import io.shardpress.kernels.convert.SmallFloats;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Locale;

/**
 * A weight in FP8 E4M3 with a scale for every block of it: w = fp8·scale. Blocks at the edges may
 * be smaller.
 *
 * @param codes F8_E4M3 [out × in]
 * @param scales F32, F16 or BF16, [⌈out/blockRows⌉ × ⌈in/blockColumns⌉] elements
 * @param blockRows rows that share a scale; {@code out} where all do
 * @param blockColumns columns that share a scale; {@code in} where all do
 */
record Fp8Weight(TensorRef codes, TensorRef scales, long blockRows, long blockColumns)
    implements StoredWeight {
  @Override
  public List<TensorRef> tensors() {
    return List.of(codes, scales);
  }

  @Override
  public String form() {
    boolean rows = blockColumns >= codes.columns();
    if (rows && blockRows >= codes.rows()) {
      return "fp8 with one scale";
    }
    return rows && blockRows == 1
        ? "fp8 per channel"
        : String.format(Locale.ROOT, "fp8 in blocks of %d x %d", blockRows, blockColumns);
  }

  @Override
  public float[] rows(TensorReader reader, long rowStart, int rowCount) {
    int in = Math.toIntExact(codes.columns());
    int across = Math.toIntExact((in + blockColumns - 1) / blockColumns);
    float[] steps = reader.readFloats(scales);
    TensorReader.requireFinite(scales, 0, steps);
    byte[] bytes = reader.readBytes(codes, rowStart, rowCount);
    float[] w = new float[bytes.length];
    for (int row = 0; row < rowCount; row++) {
      int down = Math.toIntExact((rowStart + row) / blockRows) * across;
      for (int column = 0; column < in; column++) {
        int i = row * in + column;
        float value = SmallFloats.fromE4m3(bytes[i]);
        if (Float.isNaN(value)) {
          throw new CheckpointException(
              String.format(
                  Locale.ROOT,
                  "%s: tensor %s: found NaN (0x%02X) at [%d, %d], wanted finite weights; the checkpoint is damaged",
                  codes.file(),
                  codes.tensor(),
                  bytes[i] & 0xFF,
                  rowStart + row,
                  column));
        }
        w[i] = value * steps[down + Math.toIntExact(column / blockColumns)];
      }
    }
    return w;
  }
}
