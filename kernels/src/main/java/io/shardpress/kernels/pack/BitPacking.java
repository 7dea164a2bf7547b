package io.shardpress.kernels.pack;

import io.shardpress.kernels.convert.Words;
import io.shardpress.kernels.matmul.VectorWidth;
import java.util.Objects;

/**
 * compressed-tensors' packing. Codes u = q + 2^(b−1) of b bits make one little-endian bit string:
 * code i takes bits [i·b, (i+1)·b), word w bits [32w, 32(w+1)), and the last word's tail is zero.
 * Weights run along their rows, zero points down their columns. For 4 and 8 bits this is nibble or
 * byte k of a word for element k; 2 bits the same; 3 bits cross from word to word.
 */
public final class BitPacking {
  private static final int WORD_BITS = 32;

  private BitPacking() {}

  /** Made on first use, so that a process that never packs loads no Vector API. */
  private static final class Chosen {
    static final boolean VECTORS = VectorWidth.chosen() != 0;
  }

  /** Words that hold {@code count} codes of {@code bits} bits. */
  public static int words(int count, int bits) {
    return Math.toIntExact(((long) count * bits + WORD_BITS - 1) / WORD_BITS);
  }

  /**
   * Packs each row of {@code codes} [rows × columns] into a row of {@code words} [rows ×
   * words(columns, bits)].
   *
   * @param codes unsigned codes; bits above {@code bits} are cut off
   * @param bits 1 to 8
   */
  public static void packRows(
      byte[] codes,
      int codesOffset,
      int rows,
      int columns,
      int bits,
      int[] words,
      int wordsOffset) {
    check(bits, codes.length, codesOffset, (long) rows * columns);
    int stride = words(columns, bits);
    check(bits, words.length, wordsOffset, (long) rows * stride);
    for (int row = 0; row < rows; row++) {
      int from = codesOffset + row * columns;
      int to = wordsOffset + row * stride;
      switch (bits) {
        case 4 -> packNibbles(codes, from, columns, words, to);
        case 8 -> packBytes(codes, from, columns, words, to);
        default -> packAny(codes, from, 1, columns, bits, words, to, 1);
      }
    }
  }

  /** The inverse of {@link #packRows}: rows of unsigned codes. */
  public static void unpackRows(
      int[] words,
      int wordsOffset,
      int rows,
      int columns,
      int bits,
      byte[] codes,
      int codesOffset) {
    int stride = words(columns, bits);
    check(bits, words.length, wordsOffset, (long) rows * stride);
    check(bits, codes.length, codesOffset, (long) rows * columns);
    for (int row = 0; row < rows; row++) {
      int from = wordsOffset + row * stride;
      int to = codesOffset + row * columns;
      switch (bits) {
        case 4 -> unpackNibbles(words, from, columns, codes, to);
        case 8 -> unpackBytes(words, from, columns, codes, to);
        default -> unpackAny(words, from, 1, columns, bits, codes, to, 1);
      }
    }
  }

  /**
   * Packs each column of {@code codes} [rows × columns] into a column of the result [words(rows,
   * bits) × columns]: zero points.
   */
  public static int[] packColumns(byte[] codes, int rows, int columns, int bits) {
    check(bits, codes.length, 0, (long) rows * columns);
    int[] words = new int[Math.multiplyExact(words(rows, bits), columns)];
    for (int column = 0; column < columns; column++) {
      packAny(codes, column, columns, rows, bits, words, column, columns);
    }
    return words;
  }

  /** The inverse of {@link #packColumns}: codes [rows × columns]. */
  public static byte[] unpackColumns(int[] words, int rows, int columns, int bits) {
    check(bits, words.length, 0, (long) words(rows, bits) * columns);
    byte[] codes = new byte[Math.multiplyExact(rows, columns)];
    for (int column = 0; column < columns; column++) {
      unpackAny(words, column, columns, rows, bits, codes, column, columns);
    }
    return codes;
  }

  /** Adds 2^(b−1) to signed integers in place: what is stored for them. */
  public static void toCodes(byte[] integers, int offset, int length, int bits) {
    check(bits, integers.length, offset, length);
    int shift = 1 << (bits - 1);
    for (int i = offset; i < offset + length; i++) {
      integers[i] = (byte) (integers[i] + shift);
    }
  }

  /** Subtracts 2^(b−1) from codes in place. */
  public static void fromCodes(byte[] codes, int offset, int length, int bits) {
    check(bits, codes.length, offset, length);
    int shift = 1 << (bits - 1);
    for (int i = offset; i < offset + length; i++) {
      codes[i] = (byte) ((codes[i] & 0xff) - shift);
    }
  }

  /** Eight codes at once: the common case, without a carry from word to word. */
  private static void packNibbles(byte[] codes, int from, int count, int[] words, int to) {
    int done = Chosen.VECTORS ? VectorNibbles.pack(codes, from, count, words, to) : 0;
    int whole = count & ~7;
    int at = to + done / 8;
    for (int i = from + done; i < from + whole; i += 8) {
      words[at++] =
          (codes[i] & 15)
              | (codes[i + 1] & 15) << 4
              | (codes[i + 2] & 15) << 8
              | (codes[i + 3] & 15) << 12
              | (codes[i + 4] & 15) << 16
              | (codes[i + 5] & 15) << 20
              | (codes[i + 6] & 15) << 24
              | (codes[i + 7] & 15) << 28;
    }
    if (whole < count) {
      packAny(codes, from + whole, 1, count - whole, 4, words, at, 1);
    }
  }

  private static void unpackNibbles(int[] words, int from, int count, byte[] codes, int to) {
    int done = Chosen.VECTORS ? VectorNibbles.unpack(words, from, count, codes, to) : 0;
    unpackAny(words, from + done / 8, 1, count - done, 4, codes, to + done, 1);
  }

  /** Bytes are little-endian words as they are; only a last one may be incomplete. */
  private static void packBytes(byte[] codes, int from, int count, int[] words, int to) {
    int whole = count / Integer.BYTES;
    Words.read(codes, from, words, to, whole);
    int done = whole * Integer.BYTES;
    packAny(codes, from + done, 1, count - done, 8, words, to + whole, 1);
  }

  private static void unpackBytes(int[] words, int from, int count, byte[] codes, int to) {
    int whole = count / Integer.BYTES;
    Words.write(words, from, codes, to, whole);
    int done = whole * Integer.BYTES;
    unpackAny(words, from + whole, 1, count - done, 8, codes, to + done, 1);
  }

  /** The definition, for any width and step. */
  static void packAny(
      byte[] codes, int from, int step, int count, int bits, int[] words, int to, int wordStep) {
    int mask = (1 << bits) - 1;
    long pending = 0;
    int filled = 0;
    int at = to;
    for (int i = 0; i < count; i++) {
      pending |= (long) (codes[from + i * step] & mask) << filled;
      filled += bits;
      if (filled >= WORD_BITS) {
        words[at] = (int) pending;
        at += wordStep;
        pending >>>= WORD_BITS;
        filled -= WORD_BITS;
      }
    }
    if (filled > 0) {
      words[at] = (int) pending;
    }
  }

  /** The inverse of {@link #packAny}. */
  static void unpackAny(
      int[] words, int from, int wordStep, int count, int bits, byte[] codes, int to, int step) {
    int mask = (1 << bits) - 1;
    long pending = 0;
    int filled = 0;
    int at = from;
    for (int i = 0; i < count; i++) {
      if (filled < bits) {
        pending |= (words[at] & 0xffff_ffffL) << filled;
        at += wordStep;
        filled += WORD_BITS;
      }
      codes[to + i * step] = (byte) (pending & mask);
      pending >>>= bits;
      filled -= bits;
    }
  }

  private static void check(int bits, int length, int offset, long count) {
    if (bits < 1 || bits > 8) {
      throw new IllegalArgumentException("bits is " + bits + ", want 1 to 8");
    }
    Objects.checkFromIndexSize(offset, count, (long) length);
  }
}
