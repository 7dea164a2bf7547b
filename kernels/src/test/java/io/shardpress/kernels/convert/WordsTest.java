package io.shardpress.kernels.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class WordsTest {
  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  /** Written out by hand: two's complement and IEEE 754, the least byte first. */
  @Test
  void bytesByTheDefinition() {
    assertThat(Words.bytes(1, -2, 0x12345678)).isEqualTo(hex("01000000 feffffff 78563412"));
    assertThat(Words.bytes(1L, Long.MIN_VALUE)).isEqualTo(hex("0100000000000000 0000000000000080"));
    assertThat(Words.bytes(1f, -0f, 0.5f)).isEqualTo(hex("0000803f 00000080 0000003f"));
    assertThat(Words.bytes(1.0, -2.0)).isEqualTo(hex("000000000000f03f 00000000000000c0"));
    assertThat(Words.bytes(new int[0])).isEmpty();
  }

  @Test
  void numbersByTheDefinition() {
    assertThat(Words.ints(hex("01000000 feffffff 78563412"))).containsExactly(1, -2, 0x12345678);
    assertThat(Words.longs(hex("0100000000000000 0000000000000080")))
        .containsExactly(1, Long.MIN_VALUE);
    assertThat(Words.floats(hex("0000803f 0000003f"))).containsExactly(1, 0.5f);
    assertThat(Words.doubles(hex("000000000000f03f 00000000000000c0"))).containsExactly(1, -2);
    assertThat(Words.doubles(new byte[0])).isEmpty();
  }

  /** Every bit goes through, those of a NaN among them. */
  @Test
  void nothingIsRounded() {
    byte[] nan = hex("010080ff");
    assertThat(Float.floatToRawIntBits(Words.floats(nan)[0])).isEqualTo(0xff800001);
    byte[] wide = hex("010000000000f0ff");
    assertThat(Double.doubleToRawLongBits(Words.doubles(wide)[0])).isEqualTo(0xfff0000000000001L);
  }

  @Test
  void partsOfArrays() {
    byte[] bytes = hex("ff 01000000 02000000 ff");
    int[] ints = {9, 9, 9, 9};
    Words.read(bytes, 1, ints, 1, 2);
    assertThat(ints).containsExactly(9, 1, 2, 9);
    long[] longs = {9, 9};
    Words.read(bytes, 1, longs, 1, 1);
    assertThat(longs).containsExactly(9, 0x200000001L);
    float[] floats = {9, 9};
    Words.read(hex("ff 0000803f"), 1, floats, 1, 1);
    assertThat(floats).containsExactly(9, 1);

    byte[] written = hex("ffffffffffffffffffff");
    Words.write(new int[] {9, 1, 2}, 1, written, 1, 2);
    assertThat(written).isEqualTo(hex("ff 01000000 02000000 ff"));
    Words.write(new float[] {9, 1}, 1, written, 5, 1);
    assertThat(written).isEqualTo(hex("ff 01000000 0000803f ff"));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> Words.ints(new byte[7]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("found 7 bytes, wanted a multiple of 4: numbers of that width");
    assertThatThrownBy(() -> Words.longs(new byte[12]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Words.read(new byte[8], 4, new int[4], 0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Words.read(new byte[8], 0, new int[1], 0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Words.write(new int[2], 1, new byte[8], 0, 2))
        .isInstanceOf(RuntimeException.class);
  }
}
