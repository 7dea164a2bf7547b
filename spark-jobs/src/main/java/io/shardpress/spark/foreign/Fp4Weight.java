package io.shardpress.spark.foreign;

import io.shardpress.kernels.convert.SmallFloats;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Locale;

/**
 * A weight in FP4 E2M1 with a scale for every group of a row's inputs: w = fp4·2^(e−127), or with
 * scales in E4M3 w = fp4·(scale/global).
 *
 * @param codes U8 [out × in/2]; the low four bits are the even input's
 * @param scales U8 [out × groups], E8M0; or F8_E4M3 [out × groups]
 * @param global F32 [1]; null with E8M0
 */
record Fp4Weight(TensorRef codes, TensorRef scales, TensorRef global) implements StoredWeight {
  @Override
  public List<TensorRef> tensors() {
    return global == null ? List.of(codes, scales) : List.of(codes, scales, global);
  }

  @Override
  public String form() {
    return global == null ? "mxfp4" : "nvfp4";
  }

  @Override
  public float[] rows(TensorReader reader, long rowStart, int rowCount) {
    int pairs = Math.toIntExact(codes.columns());
    int groups = Math.toIntExact(scales.columns());
    int length = 2 * pairs / groups;
    float divisor = divisor(reader);
    byte[] bytes = reader.readBytes(codes, rowStart, rowCount);
    byte[] stored = reader.readBytes(scales, rowStart, rowCount);
    float[] w = new float[Math.multiplyExact(2, bytes.length)];
    for (int group = 0; group < stored.length; group++) {
      float scale =
          global == null
              ? SmallFloats.fromE8m0(stored[group])
              : SmallFloats.fromE4m3(stored[group]) / divisor;
      if (Float.isNaN(scale)) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found NaN (0x%02X) at [%d, %d], wanted a finite %s; the checkpoint is damaged",
                scales.file(),
                scales.tensor(),
                stored[group] & 0xFF,
                rowStart + group / groups,
                group % groups,
                scales.dtype().name().toUpperCase(Locale.ROOT)));
      }
      for (int i = group * length; i < (group + 1) * length; i++) {
        int code = i % 2 == 0 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4 & 15;
        w[i] = SmallFloats.fromE2m1(code) * scale;
      }
    }
    return w;
  }

  /** What the scales are divided by. */
  private float divisor(TensorReader reader) {
    if (global == null) {
      return 1;
    }
    float value = reader.readFloats(global)[0];
    if (!(value > 0) || Float.isInfinite(value)) {
      throw new CheckpointException(
          "%s: tensor %s: found %s, wanted a positive number, as scales are divided by it; the checkpoint is damaged"
              .formatted(global.file(), global.tensor(), value));
    }
    return value;
  }
}
