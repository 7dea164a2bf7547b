package io.shardpress.spark.store;

import io.shardpress.kernels.convert.FloatBytes;
import io.shardpress.kernels.convert.Words;
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

  /** Rows of i32 numbers. */
  public static PartRow ofInts(
      String tensor, List<Long> shape, long rowStart, int rowCount, int[] values) {
    return new PartRow(tensor, Dtype.I32, shape, rowStart, rowCount, Words.bytes(values));
  }

  /** A whole tensor of one side of i64 numbers. */
  public static PartRow ofLongs(String tensor, long... values) {
    List<Long> shape = List.of((long) values.length);
    return new PartRow(tensor, Dtype.I64, shape, 0, values.length, Words.bytes(values));
  }

  /** A whole tensor of one side of f64 numbers. */
  public static PartRow ofDoubles(String tensor, double... values) {
    List<Long> shape = List.of((long) values.length);
    return new PartRow(tensor, Dtype.F64, shape, 0, values.length, Words.bytes(values));
  }

  /** A whole tensor of one side of f32 numbers. */
  public static PartRow ofFloats(String tensor, float... values) {
    return ofFloats(tensor, List.of((long) values.length), 0, values.length, values, 0);
  }

  /** The i32 numbers of {@code data}. */
  public int[] ints() {
    return Words.ints(data);
  }

  /** The i64 numbers of {@code data}. */
  public long[] longs() {
    return Words.longs(data);
  }

  /** The f64 numbers of {@code data}. */
  public double[] doubles() {
    return Words.doubles(data);
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
