package io.shardpress.kernels.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.reference.OnVectors;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnVectors
class BitPackingTest {
  /** The bit string as one number, the sum of code·2^(i·b), cut into words. */
  private static int[] oracle(byte[] codes, int from, int step, int count, int bits) {
    BigInteger string = BigInteger.ZERO;
    for (int i = 0; i < count; i++) {
      long code = Byte.toUnsignedLong(codes[from + i * step]);
      string = string.add(BigInteger.valueOf(code).shiftLeft(i * bits));
    }
    int[] words = new int[(count * bits + 31) / 32];
    for (int w = 0; w < words.length; w++) {
      words[w] = string.shiftRight(32 * w).intValue();
    }
    return words;
  }

  private static byte[] randomCodes(Random random, int count, int bits) {
    byte[] codes = new byte[count];
    for (int i = 0; i < count; i++) {
      codes[i] = (byte) random.nextInt(1 << bits);
    }
    return codes;
  }

  @Test
  void int4Fixture() {
    byte[] q = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1};
    BitPacking.toCodes(q, 0, 10, 4);
    int[] words = new int[2];
    BitPacking.packRows(q, 0, 1, 10, 4, words, 0);
    assertThat(words).containsExactly(0x76543210, 0x00000098);
  }

  @Test
  void int8IsOneByteEach() {
    byte[] q = {-128, -1, 0, 127, 1};
    BitPacking.toCodes(q, 0, 5, 8);
    int[] words = new int[2];
    BitPacking.packRows(q, 0, 1, 5, 8, words, 0);
    assertThat(words).containsExactly(0xff807f00, 0x00000081);
  }

  @Test
  void zeroPointsRunDownColumns() {
    byte[] zeros = {-8, -7, -6};
    BitPacking.toCodes(zeros, 0, 3, 4);
    assertThat(BitPacking.packColumns(zeros, 3, 1, 4)).containsExactly(0x210);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void equalsTheBitString(int bits) {
    Random random = new Random(bits);
    for (int columns : new int[] {1, 3, 7, 8, 9, 10, 11, 13, 31, 32, 33, 64, 207, 1024}) {
      int rows = 1 + random.nextInt(5);
      int stride = BitPacking.words(columns, bits);
      byte[] codes = randomCodes(random, 2 + rows * columns, bits);
      int[] words = new int[3 + rows * stride];
      BitPacking.packRows(codes, 2, rows, columns, bits, words, 3);
      for (int row = 0; row < rows; row++) {
        int[] packed = new int[stride];
        System.arraycopy(words, 3 + row * stride, packed, 0, stride);
        assertThat(packed).isEqualTo(oracle(codes, 2 + row * columns, 1, columns, bits));
      }
      byte[] back = new byte[codes.length];
      back[0] = codes[0];
      back[1] = codes[1];
      BitPacking.unpackRows(words, 3, rows, columns, bits, back, 2);
      assertThat(back).isEqualTo(codes);
    }
  }

  /** Bits above those of a code are cut off, and neighbours keep what they have. */
  @ParameterizedTest
  @ValueSource(ints = {4, 8})
  void runsEqualTheScalarDefinition(int bits) {
    Random random = new Random(bits);
    for (int columns = 1; columns <= 300; columns++) {
      int stride = BitPacking.words(columns, bits);
      byte[] codes = randomCodes(random, columns + 5, 8);
      int[] words = new int[stride + 3];
      int[] wanted = new int[stride + 3];
      Arrays.fill(words, 7);
      Arrays.fill(wanted, 7);
      BitPacking.packRows(codes, 3, 1, columns, bits, words, 1);
      BitPacking.packAny(codes, 3, 1, columns, bits, wanted, 1, 1);
      assertThat(words).containsExactly(wanted);

      byte[] back = new byte[columns + 5];
      byte[] wantedBack = new byte[columns + 5];
      Arrays.fill(back, (byte) 7);
      Arrays.fill(wantedBack, (byte) 7);
      BitPacking.unpackRows(words, 1, 1, columns, bits, back, 3);
      BitPacking.unpackAny(words, 1, 1, columns, bits, wantedBack, 3, 1);
      assertThat(back).containsExactly(wantedBack);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void columnsEqualTheBitString(int bits) {
    Random random = new Random(bits);
    for (int rows : new int[] {1, 3, 8, 11, 64, 172}) {
      int columns = 1 + random.nextInt(6);
      byte[] codes = randomCodes(random, rows * columns, bits);
      int[] words = BitPacking.packColumns(codes, rows, columns, bits);
      for (int column = 0; column < columns; column++) {
        int[] expected = oracle(codes, column, columns, rows, bits);
        for (int w = 0; w < expected.length; w++) {
          assertThat(words[w * columns + column]).isEqualTo(expected[w]);
        }
      }
      assertThat(BitPacking.unpackColumns(words, rows, columns, bits)).isEqualTo(codes);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void codesAreOffsetIntegers(int bits) {
    for (int q = -(1 << (bits - 1)); q < 1 << (bits - 1); q++) {
      byte[] one = {(byte) q};
      BitPacking.toCodes(one, 0, 1, bits);
      assertThat(Byte.toUnsignedInt(one[0])).isEqualTo(q + (1 << (bits - 1)));
      BitPacking.fromCodes(one, 0, 1, bits);
      assertThat(one[0]).isEqualTo((byte) q);
    }
  }

  @Test
  void arraysThatAreTooShortAreRefused() {
    assertThatThrownBy(() -> BitPacking.packRows(new byte[7], 0, 1, 8, 4, new int[1], 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> BitPacking.packRows(new byte[8], 0, 1, 8, 4, new int[1], 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
