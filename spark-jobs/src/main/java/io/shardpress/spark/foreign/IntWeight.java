package io.shardpress.spark.foreign;

import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.io.StoredWeight;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A weight in compressed-tensors' int-quantized format: w = scale·(q − zero) with signed q, a byte
 * each, however few bits they have.
 *
 * @param integers weight, I8 [out × in]
 * @param scale weight_scale, [out × groups]
 * @param zeroPoint weight_zero_point, I8 [out × groups]; null where symmetric
 */
record IntWeight(
    TensorRef integers, TensorRef scale, TensorRef zeroPoint, WeightScheme scheme, int in)
    implements StoredWeight {
  @Override
  public List<TensorRef> tensors() {
    return zeroPoint == null ? List.of(integers, scale) : List.of(integers, scale, zeroPoint);
  }

  @Override
  public String form() {
    return String.format(
        Locale.ROOT,
        "int%d%s %s",
        scheme.bits(),
        scheme.symmetric() ? "" : " with zero points",
        scheme.perChannel() ? "per channel" : "in groups of " + scheme.groupSize());
  }

  @Override
  public float[] rows(TensorReader reader, long rowStart, int rowCount) {
    byte[] codes = reader.readBytes(integers, rowStart, rowCount);
    toCodes(integers, rowStart, codes);
    float[] scales = reader.readFloats(scale, rowStart, rowCount);
    TensorReader.requireFinite(scale, rowStart, scales);
    int[] zeros = new int[scales.length];
    if (zeroPoint == null) {
      Arrays.fill(zeros, middle());
    } else {
      byte[] stored = reader.readBytes(zeroPoint, rowStart, rowCount);
      toCodes(zeroPoint, rowStart, stored);
      for (int i = 0; i < zeros.length; i++) {
        zeros[i] = stored[i] & 0xFF;
      }
    }
    Steps steps = new Steps(rowCount, scheme.groups(in), scales, zeros);
    return new QuantizedLinear(rowCount, in, scheme, codes, steps).dequantize();
  }

  /** The code of zero on the symmetric grid. */
  private int middle() {
    return 1 << (scheme.bits() - 1);
  }

  /** From signed integers to the grid's codes, in place. */
  private void toCodes(TensorRef tensor, long rowStart, byte[] values) {
    int middle = middle();
    for (int i = 0; i < values.length; i++) {
      int found = values[i];
      if (found < -middle || found >= middle) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found %d at [%d, %d], wanted %d to %d; num_bits of config.json and the integers do not go together",
                tensor.file(),
                tensor.tensor(),
                found,
                rowStart + i / tensor.columns(),
                i % tensor.columns(),
                -middle,
                middle - 1));
      }
      values[i] = (byte) (found + middle);
    }
  }
}
