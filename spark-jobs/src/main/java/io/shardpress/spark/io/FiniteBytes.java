package io.shardpress.spark.io;

import io.shardpress.kernels.convert.FiniteBits;
import io.shardpress.kernels.convert.FloatBytes;

/** Refuses weights that are not finite, in the bytes that a file has. */
public final class FiniteBytes {
  private FiniteBytes() {}

  /**
   * Checks whole elements of a tensor; of dtypes without NaN and infinities there is nothing to
   * check.
   *
   * @param at the tensor's own byte that {@code bytes} begin with
   * @throws io.shardpress.schemas.CheckpointException naming the place of the first NaN or infinity
   */
  public static void require(TensorRef tensor, long at, byte[] bytes, int count) {
    if (!FloatBytes.handles(tensor.dtype())) {
      return;
    }
    int width = tensor.dtype().bits() / 8;
    if (FiniteBits.allFinite(tensor.dtype(), bytes, 0, count / width)) {
      return;
    }
    float[] values = new float[count / width];
    FloatBytes.decode(tensor.dtype(), bytes, 0, values, 0, values.length);
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw TensorReader.notFinite(tensor, at / width + i, values[i]);
      }
    }
  }

  /** Reads a whole tensor of a file for nothing but this check. */
  public static void require(TensorRef tensor, TensorReader reader) {
    if (!FloatBytes.handles(tensor.dtype())) {
      return;
    }
    byte[] chunk = new byte[(int) Math.min(reader.chunkBytes(tensor), tensor.length())];
    for (long at = 0; at < tensor.length(); at += chunk.length) {
      int count = (int) Math.min(chunk.length, tensor.length() - at);
      reader.readBytes(tensor, at, chunk, 0, count);
      require(tensor, at, chunk, count);
    }
  }
}
