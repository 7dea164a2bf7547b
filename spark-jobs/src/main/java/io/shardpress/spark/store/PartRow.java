package io.shardpress.spark.store;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.schemas.safetensors.Dtype;
import java.util.List;

/**
 * A row of a part: some rows of a tensor.
 *
 * @param tensor what it is, by the step's own names
 * @param shape of the whole tensor
 * @param rowStart its first row of the tensor
 * @param rowCount rows of the tensor in it
 * @param data little-endian elements, C order
 */
public record PartRow(
    String tensor, Dtype dtype, List<Long> shape, long rowStart, int rowCount, byte[] data) {
  /** Rows of f32 numbers. */
  public static PartRow ofFloats(
      String tensor, List<Long> shape, long rowStart, int rowCount, float[] values, int at) {
    int count = rowCount;
    for (long side : shape.subList(1, shape.size())) {
      count = Math.toIntExact(count * side);
    }
    byte[] data = new byte[Math.multiplyExact(count, Float.BYTES)];
    FloatBytes.encode(Dtype.F32, values, at, data, 0, count);
    return new PartRow(tensor, Dtype.F32, shape, rowStart, rowCount, data);
  }

  /** The f32 numbers of {@code data} into {@code values} from {@code at} on; how many there are. */
  public int floats(float[] values, int at) {
    int count = data.length / Float.BYTES;
    FloatBytes.decode(Dtype.F32, data, 0, values, at, count);
    return count;
  }

  /** The f32 numbers of {@code data}. */
  public float[] floats() {
    float[] values = new float[data.length / Float.BYTES];
    floats(values, 0);
    return values;
  }
}
