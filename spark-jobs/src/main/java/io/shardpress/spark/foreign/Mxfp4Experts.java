package io.shardpress.spark.foreign;

import io.shardpress.kernels.convert.SmallFloats;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.List;
import java.util.Locale;

/**
 * The weights of all experts of a block as gpt-oss stores them: for each expert and output, runs of
 * 32 inputs in FP4 with a power of two each. The dense model has the inputs before the outputs,
 * [experts × in × out].
 *
 * @param blocks U8 [experts × out × in/32 × 16]; the low four bits are the even input's
 * @param scales U8 [experts × out × in/32], E8M0
 */
record Mxfp4Experts(TensorRef blocks, TensorRef scales) implements StoredWeight {
  /** Inputs that share a scale. */
  static final int GROUP = 32;

  @Override
  public List<TensorRef> tensors() {
    return List.of(blocks, scales);
  }

  @Override
  public String form() {
    return "mxfp4 by experts";
  }

  @Override
  public float[] rows(TensorReader reader, long rowStart, int rowCount) {
    int out = Math.toIntExact(blocks.shape().get(1));
    int groups = Math.toIntExact(blocks.shape().get(2));
    int in = groups * GROUP;
    byte[] codes = reader.readBytes(blocks, rowStart, rowCount);
    byte[] powers = reader.readBytes(scales, rowStart, rowCount);
    float[] w = new float[Math.multiplyExact(rowCount, Math.multiplyExact(in, out))];
    for (int expert = 0; expert < rowCount; expert++) {
      for (int o = 0; o < out; o++) {
        for (int g = 0; g < groups; g++) {
          int run = (expert * out + o) * groups + g;
          float scale = SmallFloats.fromE8m0(powers[run]);
          if (Float.isNaN(scale)) {
            throw new CheckpointException(
                String.format(
                    Locale.ROOT,
                    "%s: tensor %s: found NaN (255) at [%d, %d, %d], wanted an exponent from 0 to 254; the checkpoint is damaged",
                    scales.file(),
                    scales.tensor(),
                    rowStart + expert,
                    o,
                    g));
          }
          for (int i = 0; i < GROUP; i++) {
            int pair = codes[run * GROUP / 2 + i / 2];
            int code = i % 2 == 0 ? pair & 15 : pair >> 4 & 15;
            w[(expert * in + g * GROUP + i) * out + o] = SmallFloats.fromE2m1(code) * scale;
          }
        }
      }
    }
    return w;
  }
}
