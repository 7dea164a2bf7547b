package io.shardpress.kernels.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.gguf.GgufType;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Blocks written by hand from the format's definition. */
@OnVectors
class LearnedBlocksTest {
  /** f16 1.5 is 3e00, 0.25 is 3400; little-endian. */
  private static final float FIRST = 1.5f;

  private static final float SECOND = 0.25f;

  private static byte[] codes(int count, int largest) {
    byte[] codes = new byte[count];
    for (int i = 0; i < count; i++) {
      codes[i] = (byte) (i % (largest + 1));
    }
    return codes;
  }

  private static Steps steps(int rows, int zero, float... scales) {
    Steps steps = new Steps(rows, scales.length / rows);
    System.arraycopy(scales, 0, steps.scales(), 0, scales.length);
    java.util.Arrays.fill(steps.zeros(), zero);
    return steps;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void fourBitsPairElementsSixteenApart() {
    byte[] codes = codes(64, 15);
    codes[16] = 7;
    codes[63] = 0;
    byte[] packed = LearnedBlocks.pack(GgufType.Q4_0, codes, 2, 32, steps(2, 8, FIRST, SECOND), 0);
    assertThat(hex(packed))
        .isEqualTo(
            "003e"
                + "70112233445566778899aabbccddeeff"
                + "0034"
                + "00112233445566778899aabbccddee0f");
  }

  @Test
  void groupsRepeatTheirScaleInEachBlock() {
    byte[] packed =
        LearnedBlocks.pack(GgufType.Q4_0, codes(64, 15), 1, 64, steps(2, 8, FIRST, SECOND), 1);
    String block = "0034" + "00112233445566778899aabbccddeeff";
    assertThat(hex(packed)).isEqualTo(block + block);
  }

  /** −3·1.5 = −4.5 is c480. */
  @Test
  void minimumsStandBehindTheScale() {
    byte[] packed = LearnedBlocks.pack(GgufType.Q4_1, codes(32, 15), 1, 32, steps(1, 3, FIRST), 0);
    assertThat(hex(packed)).isEqualTo("003e" + "80c4" + "00112233445566778899aabbccddeeff");
  }

  @Test
  void bytesAreSigned() {
    byte[] codes = codes(32, 255);
    codes[0] = (byte) 255;
    byte[] packed = LearnedBlocks.pack(GgufType.Q8_0, codes, 1, 32, steps(1, 128, FIRST), 0);
    assertThat(hex(packed))
        .isEqualTo(
            "003e" + "7f8182838485868788898a8b8c8d8e8f" + "909192939495969798999a9b9c9d9e9f");
  }

  @Test
  void scalesThatWouldBeRoundedAreRefused() {
    assertThatThrownBy(
            () -> LearnedBlocks.pack(GgufType.Q4_0, codes(32, 15), 1, 32, steps(1, 8, 0.1f), 0))
        .hasMessageContaining("0.1");
  }

  @Test
  void minimumsBeyondF16AreRefused() {
    assertThatThrownBy(
            () -> LearnedBlocks.pack(GgufType.Q4_1, codes(32, 15), 1, 32, steps(1, 15, 8192f), 0))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("-122880.0");
  }

  /**
   * 15·(1 + 2^-7) has 11 bits and is exact; 15·(1 + 2^-10) = 15 + 15·2^-10 lies between f16's steps
   * of 2^-7 there: 15·2^-10 is 1.875 of them, rounded to 2, so 2^-10 off.
   */
  @Test
  void theCostOfMinimumsIsCountedInSteps() {
    float exact = 1 + 0x1p-7f;
    float between = 1 + 0x1p-10f;
    LearnedBlocks.MinimumError error = LearnedBlocks.minimumError(steps(2, 15, exact, between));
    double wanted = 0x1p-10 / between;
    assertThat(error.largest()).isCloseTo(wanted, within(1e-12));
    assertThat(error.rms()).isCloseTo(wanted / Math.sqrt(2), within(1e-12));
  }
}
