package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.kernels.convert.HalfFloats;
import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.recipe.WeightScheme;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@OnVectors
class Bf16ToInt4Test {
  private final Random random = new Random(5);

  @ParameterizedTest
  @CsvSource({"8, 1", "32, 3", "64, 207", "128, 1", "128, 100", "2048, 3", "4096, 2"})
  void equalsTheStepsOneAfterTheOther(int length, int groups) {
    float[] w = new float[length * groups];
    for (int i = 0; i < w.length; i++) {
      double spread = i / length % 7 == 3 ? 0 : Math.exp(i / length % 11 - 5);
      // Many of them exactly between two codes.
      double value = i % 5 == 0 ? Math.rint(random.nextGaussian() * 8) / 4 : random.nextGaussian();
      w[i] = HalfFloats.fromBf16(HalfFloats.toBf16((float) (value * spread)));
    }
    for (ScaleFormat format : ScaleFormat.values()) {
      compare(w, length, groups, format);
    }
  }

  private static void compare(float[] w, int length, int groups, ScaleFormat format) {
    int offset = 6;
    int[] packed = new int[w.length / 8 + 2];
    float[] steps = new float[groups + 1];
    Bf16ToInt4 rounding = new Bf16ToInt4(length, format);
    assertThat(rounding.quantize(bytes(w, offset), offset, groups, packed, 2, steps, 1)).isTrue();
    WeightScheme scheme = new WeightScheme(4, true, 0);
    QuantizedLinear wanted =
        RoundToNearest.quantize(w, groups, length, scheme, format, new MinMax());
    double error = 0;
    double squares = 0;
    float[] dequantized = wanted.dequantize();
    for (int i = 0; i < w.length; i++) {
      error += Math.pow((double) w[i] - dequantized[i], 2);
      squares += (double) w[i] * w[i];
    }
    assertThat(rounding.squaredError()).isCloseTo(error, Percentage.withPercentage(0.01));
    assertThat(rounding.squaredWeights()).isCloseTo(squares, Percentage.withPercentage(0.01));
    int[] words = new int[w.length / 8];
    BitPacking.packRows(wanted.codes(), 0, 1, w.length, 4, words, 0);
    for (int g = 0; g < groups; g++) {
      assertThat(steps[g + 1]).isEqualTo(wanted.steps().scales()[g]);
    }
    for (int i = 0; i < words.length; i++) {
      assertThat(packed[i + 2]).as("word %d", i).isEqualTo(words[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void saysWhereAWeightIsNotFinite(float value) {
    for (int at : new int[] {0, 1, 127, 128, 383}) {
      float[] w = new float[384];
      w[at] = value;
      Bf16ToInt4 rounding = new Bf16ToInt4(128, ScaleFormat.BF16);
      int[] packed = new int[48];
      assertThat(rounding.quantize(bytes(w, 0), 0, 3, packed, 0, new float[3], 0)).isFalse();
    }
  }

  @Test
  void takesWholeWordsOnly() {
    assertThat(Bf16ToInt4.takes(4)).isFalse();
    assertThat(Bf16ToInt4.takes(0)).isFalse();
    assertThat(Bf16ToInt4.takes(8192)).isFalse();
    assertThatThrownBy(() -> new Bf16ToInt4(12, ScaleFormat.BF16)).hasMessageContaining("12");
  }

  private static byte[] bytes(float[] w, int offset) {
    byte[] bytes = new byte[offset + 2 * w.length];
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < w.length; i++) {
      buffer.putShort(offset + 2 * i, HalfFloats.toBf16(w[i]));
    }
    return bytes;
  }
}
