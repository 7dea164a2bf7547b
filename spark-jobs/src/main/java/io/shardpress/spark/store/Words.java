package io.shardpress.spark.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Numbers and their bytes as parts hold them, little-endian. */
final class Words {
  private Words() {}

  static byte[] bytes(int[] values) {
    ByteBuffer bytes = allocate(values.length, Integer.BYTES);
    bytes.asIntBuffer().put(values);
    return bytes.array();
  }

  static byte[] bytes(long[] values) {
    ByteBuffer bytes = allocate(values.length, Long.BYTES);
    bytes.asLongBuffer().put(values);
    return bytes.array();
  }

  static byte[] bytes(double[] values) {
    ByteBuffer bytes = allocate(values.length, Double.BYTES);
    bytes.asDoubleBuffer().put(values);
    return bytes.array();
  }

  static int[] ints(byte[] bytes) {
    int[] values = new int[bytes.length / Integer.BYTES];
    wrap(bytes).asIntBuffer().get(values);
    return values;
  }

  static long[] longs(byte[] bytes) {
    long[] values = new long[bytes.length / Long.BYTES];
    wrap(bytes).asLongBuffer().get(values);
    return values;
  }

  static double[] doubles(byte[] bytes) {
    double[] values = new double[bytes.length / Double.BYTES];
    wrap(bytes).asDoubleBuffer().get(values);
    return values;
  }

  private static ByteBuffer allocate(int count, int width) {
    return ByteBuffer.allocate(Math.multiplyExact(count, width)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer wrap(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
