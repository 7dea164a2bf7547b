package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Fp8RoundingTest {
  private final Random random = new Random(9);

  /** Blocks of 128×128, cropped at the edges, whatever rows a tile begins and ends with. */
  @Test
  void blocksAreThoseOfTheWholeWeight() {
    int out = 300;
    int in = 200;
    float[] w = weights(out * in);
    float[] scales = new float[3 * 2];
    for (int i = 0; i < w.length; i++) {
      int block = i / in / 128 * 2 + i % in / 128;
      scales[block] = Math.max(scales[block], Math.abs(w[i]) / 448);
    }
    WeightScheme scheme = WeightScheme.of(WeightForm.FP8_BLOCK);
    assertThat(scheme.groups(in)).isEqualTo(2);
    for (int[] tile : new int[][] {{0, 300}, {0, 96}, {96, 96}, {192, 108}, {130, 1}}) {
      int first = tile[0] / 128 * 128;
      int last = Math.min(out, (tile[0] + tile[1] + 127) / 128 * 128);
      float[] read = Arrays.copyOfRange(w, first * in, last * in);
      Steps steps =
          Fp8Rounding.inBlocks(read, last - first, in, tile[0] - first, tile[1], ScaleFormat.F32);
      float[] own = Arrays.copyOfRange(w, tile[0] * in, (tile[0] + tile[1]) * in);
      float[] rounded = Fp8Rounding.round(own, tile[1], in, scheme, steps).dequantize();
      for (int i = 0; i < own.length; i++) {
        float scale = scales[(tile[0] + i / in) / 128 * 2 + i % in / 128];
        assertThat(steps.scales()[i / in * 2 + i % in / 128]).isEqualTo(scale);
        // 3 bits of mantissa: a sixteenth of the number at most, near zero half of 2⁻⁹ steps.
        double most = Math.max(Math.abs(own[i]) / 16, scale * 0x1p-10);
        assertThat(Math.abs((double) own[i] - rounded[i])).isLessThanOrEqualTo(most * 1.0001);
      }
    }
  }

  @Test
  void zerosStayZerosAndTheGreatestIsTheLargestNumber() {
    float[] w = {0, 0, 0, 0, -3, 1.5f, 0, 0.75f};
    WeightScheme scheme = WeightScheme.of(WeightForm.FP8_CHANNEL);
    Steps steps = Fp8Rounding.perRow(w, 2, 4, ScaleFormat.F32);
    QuantizedLinear rounded = Fp8Rounding.round(w, 2, 4, scheme, steps);
    assertThat(rounded.codes()).startsWith(0, 0, 0, 0, 0xFE);
    assertThat(rounded.dequantize()[4]).isEqualTo(-448 * steps.scales()[1]);
    assertThat(rounded.dequantize()).startsWith(0, 0, 0, 0);
  }

  private float[] weights(int count) {
    float[] w = new float[count];
    for (int i = 0; i < count; i++) {
      w[i] = (float) random.nextGaussian();
    }
    return w;
  }
}
