package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp4RoundingTest {
  private static final double[] NUMBERS = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

  private static final WeightScheme MXFP4 = WeightScheme.of(WeightForm.MXFP4);
  private static final WeightScheme NVFP4 = WeightScheme.of(WeightForm.NVFP4);

  /** By OCP's rule 2^(⌊log2 absmax⌋ − 2), from a mantissa of 1¾ on twice that. */
  @ParameterizedTest
  @CsvSource({
    "1, 0.25",
    "1.74, 0.25",
    "1.75, 0.5",
    "2, 0.5",
    "6, 1",
    "7, 2",
    "-448, 128",
    "0x1p-126, 0x1p-127",
    "0x1p-149, 0x1p-127",
    "0, 1"
  })
  void scalesOfMxfp4ArePowersOfTwo(String most, String wanted) {
    float[] w = new float[64];
    w[40] = Float.parseFloat(most);
    Steps steps = Fp4Rounding.powersOfTwo(w, 1, 64, MXFP4);
    assertThat(steps.scales()).containsExactly(1, Float.parseFloat(wanted));
    float stored = Math.scalb(1f, (Fp4Rounding.e8m0(steps.scales()[1]) & 0xFF) - 127);
    assertThat(stored).isEqualTo(steps.scales()[1]);
  }

  @Test
  void theGreatestFloatsHaveScales() {
    float[] w = new float[32];
    w[0] = Float.MAX_VALUE;
    Steps steps = Fp4Rounding.powersOfTwo(w, 1, 32, MXFP4);
    assertThat(steps.scales()).containsExactly(0x1p126f);
    float global = Fp4Rounding.globalScale(Float.MAX_VALUE);
    float[] dequantized =
        Fp4Rounding.round(w, 1, 32, NVFP4, Fp4Rounding.inGroups(w, 1, 32, NVFP4, global))
            .dequantize();
    assertThat(dequantized[0]).isBetween(Float.MAX_VALUE * 0.99f, Float.MAX_VALUE);
  }

  /** Whatever the magnitudes: scales that E4M3 holds, each weight the nearest of the numbers. */
  @Test
  void scalesOfNvfp4AreThoseOfE4m3() {
    Random random = new Random(4);
    for (int exponent : new int[] {-140, -60, -8, 0, 9, 100}) {
      float[] w = new float[3 * 64];
      float absMax = 0;
      for (int i = 0; i < w.length; i++) {
        double group = Math.pow(2, -2 * (i / 16 % 5));
        w[i] = (float) (random.nextGaussian() * group * Math.pow(2, exponent));
        absMax = Math.max(absMax, Math.abs(w[i]));
      }
      float global = Fp4Rounding.globalScale(absMax);
      if (exponent > -100) {
        assertThat(global).isEqualTo(2688 / absMax);
      }
      Steps steps = Fp4Rounding.inGroups(w, 3, 64, NVFP4, global);
      float[] rounded = Fp4Rounding.round(w, 3, 64, NVFP4, steps).dequantize();
      for (int i = 0; i < w.length; i++) {
        float scale = steps.scales()[i / 16];
        float stored = e4m3(Fp4Rounding.e4m3(scale, global));
        assertThat(stored / global).isEqualTo(scale);
        double best = Double.POSITIVE_INFINITY;
        for (double number : NUMBERS) {
          best = Math.min(best, Math.abs(Math.abs((double) w[i]) - number * scale));
        }
        assertThat(Math.abs((double) w[i] - rounded[i]))
            .isLessThanOrEqualTo(best * 1.00001 + Math.ulp(w[i]));
      }
    }
  }

  /** Bias 7, three bits of mantissa. */
  private static float e4m3(byte code) {
    int exponent = code >> 3 & 15;
    int mantissa = code & 7;
    return (float)
        (exponent == 0 ? mantissa * Math.pow(2, -9) : (8 + mantissa) * Math.pow(2, exponent - 10));
  }
}
