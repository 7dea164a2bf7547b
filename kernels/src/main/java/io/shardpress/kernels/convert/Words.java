package io.shardpress.kernels.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/**
 * Arrays of numbers to and from little-endian bytes, the order of safetensors, GGUF and the parts.
 * {@link FloatBytes} has the shorter floats.
 */
public final class Words {
  private Words() {}

  /** Four bytes for each number. */
  public static byte[] bytes(int... values) {
    byte[] bytes = new byte[Math.multiplyExact(values.length, Integer.BYTES)];
    ordered(bytes, 0, bytes.length).asIntBuffer().put(values);
    return bytes;
  }

  /** Eight bytes for each number. */
  public static byte[] bytes(long... values) {
    byte[] bytes = new byte[Math.multiplyExact(values.length, Long.BYTES)];
    ordered(bytes, 0, bytes.length).asLongBuffer().put(values);
    return bytes;
  }

  /** Four bytes for each number. */
  public static byte[] bytes(float... values) {
    byte[] bytes = new byte[Math.multiplyExact(values.length, Float.BYTES)];
    ordered(bytes, 0, bytes.length).asFloatBuffer().put(values);
    return bytes;
  }

  /** Eight bytes for each number. */
  public static byte[] bytes(double... values) {
    byte[] bytes = new byte[Math.multiplyExact(values.length, Double.BYTES)];
    ordered(bytes, 0, bytes.length).asDoubleBuffer().put(values);
    return bytes;
  }

  /**
   * The i32 numbers that all the bytes are.
   *
   * @throws IllegalArgumentException where the bytes end within a number
   */
  public static int[] ints(byte[] bytes) {
    int[] values = new int[count(bytes, Integer.BYTES)];
    read(bytes, 0, values, 0, values.length);
    return values;
  }

  /**
   * The i64 numbers that all the bytes are.
   *
   * @throws IllegalArgumentException where the bytes end within a number
   */
  public static long[] longs(byte[] bytes) {
    long[] values = new long[count(bytes, Long.BYTES)];
    read(bytes, 0, values, 0, values.length);
    return values;
  }

  /**
   * The f32 numbers that all the bytes are.
   *
   * @throws IllegalArgumentException where the bytes end within a number
   */
  public static float[] floats(byte[] bytes) {
    float[] values = new float[count(bytes, Float.BYTES)];
    read(bytes, 0, values, 0, values.length);
    return values;
  }

  /**
   * The f64 numbers that all the bytes are.
   *
   * @throws IllegalArgumentException where the bytes end within a number
   */
  public static double[] doubles(byte[] bytes) {
    double[] values = new double[count(bytes, Double.BYTES)];
    ordered(bytes, 0, bytes.length).asDoubleBuffer().get(values);
    return values;
  }

  /**
   * Reads {@code count} numbers.
   *
   * @param offset of the first byte in {@code bytes}
   * @param at index of the first element in {@code values}
   * @throws IndexOutOfBoundsException where either array is too short
   */
  public static void read(byte[] bytes, int offset, int[] values, int at, int count) {
    ordered(bytes, offset, Math.multiplyExact(count, Integer.BYTES))
        .asIntBuffer()
        .get(values, at, count);
  }

  /** As {@link #read(byte[], int, int[], int, int)}, numbers of eight bytes. */
  public static void read(byte[] bytes, int offset, long[] values, int at, int count) {
    ordered(bytes, offset, Math.multiplyExact(count, Long.BYTES))
        .asLongBuffer()
        .get(values, at, count);
  }

  /** As {@link #read(byte[], int, int[], int, int)}, f32. */
  public static void read(byte[] bytes, int offset, float[] values, int at, int count) {
    ordered(bytes, offset, Math.multiplyExact(count, Float.BYTES))
        .asFloatBuffer()
        .get(values, at, count);
  }

  /**
   * Writes {@code count} numbers.
   *
   * @param at index of the first element in {@code values}
   * @param offset of the first byte in {@code bytes}
   * @throws IndexOutOfBoundsException where either array is too short
   */
  public static void write(int[] values, int at, byte[] bytes, int offset, int count) {
    ordered(bytes, offset, Math.multiplyExact(count, Integer.BYTES))
        .asIntBuffer()
        .put(values, at, count);
  }

  /** As {@link #write(int[], int, byte[], int, int)}, f32. */
  public static void write(float[] values, int at, byte[] bytes, int offset, int count) {
    ordered(bytes, offset, Math.multiplyExact(count, Float.BYTES))
        .asFloatBuffer()
        .put(values, at, count);
  }

  private static ByteBuffer ordered(byte[] bytes, int offset, int length) {
    return ByteBuffer.wrap(bytes, offset, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int count(byte[] bytes, int width) {
    if (bytes.length % width != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "found %d bytes, wanted a multiple of %d: numbers of that width",
              bytes.length,
              width));
    }
    return bytes.length / width;
  }
}
