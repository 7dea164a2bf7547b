package io.shardpress.spark.io;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.safetensors.Dtype;
import java.util.Locale;

/**
 * Reads rows of a tensor that is stored otherwise, as the numbers of its dtype: those that a
 * checkpoint with the dequantized tensor would hold.
 */
final class StoredRows {
  private StoredRows() {}

  static float[] read(TensorRef tensor, TensorReader reader, long rowStart, int rowCount) {
    float[] values = tensor.stored().rows(reader, rowStart, rowCount);
    if (tensor.dtype() == Dtype.F32) {
      return values;
    }
    byte[] bytes = new byte[Math.toIntExact(tensor.dtype().bytes(values.length))];
    float[] rounded = new float[values.length];
    FloatBytes.encode(tensor.dtype(), values, 0, bytes, 0, values.length);
    FloatBytes.decode(tensor.dtype(), bytes, 0, rounded, 0, values.length);
    requireFits(tensor, rowStart, values, rounded);
    return rounded;
  }

  private static void requireFits(TensorRef tensor, long rowStart, float[] exact, float[] rounded) {
    for (int i = 0; i < rounded.length; i++) {
      if (!Float.isFinite(rounded[i])) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: found %s at [%d, %d] (%s), wanted a number that %s can hold; take another dtype",
                tensor.file(),
                tensor.tensor(),
                exact[i],
                rowStart + i / tensor.columns(),
                i % tensor.columns(),
                tensor.stored().form(),
                tensor.dtype()));
      }
    }
  }
}
