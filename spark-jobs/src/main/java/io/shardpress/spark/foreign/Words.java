package io.shardpress.spark.foreign;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tensors of words and of floats, read by columns. */
final class Words {
  private Words() {}

  /** 32-bit words. */
  static int[] of(byte[] bytes) {
    int[] words = new int[bytes.length / Integer.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
    return words;
  }

  /** Some columns of a tensor of floats, [rows × count], all of them finite. */
  static float[] floatColumns(TensorReader reader, TensorRef tensor, long start, int count) {
    byte[] bytes = reader.readColumns(tensor, start, count);
    float[] values = new float[Math.toIntExact(tensor.rows() * count)];
    FloatBytes.decode(tensor.dtype(), bytes, 0, values, 0, values.length);
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        long element = i / count * tensor.columns() + start + i % count;
        throw TensorReader.notFinite(tensor, element, values[i]);
      }
    }
    return values;
  }
}
