package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmuls;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.GivenSteps;
import io.shardpress.kernels.quant.MinMax;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RangeSearch;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class GptqTest {
  private static final Matmul MATMUL = Matmuls.chosen();
  private static final double DAMPING = 0.01;

  /** out, in, bits, symmetric, group. */
  @ParameterizedTest
  @CsvSource({
    "1,1,4,false,0",
    "3,2,2,true,0",
    "5,13,4,false,0",
    "70,64,4,true,32",
    "70,128,3,false,0",
    "33,160,4,false,32",
    "20,256,4,true,128",
    "20,320,2,false,64",
    "9,300,8,false,0",
    "20,240,4,false,48",
    "20,300,3,true,20",
    "20,384,4,false,192",
    "9,512,4,false,256"
  })
  void sameCodesAsTheTextbook(int out, int in, int bits, boolean symmetric, int group) {
    Random random = new Random(in);
    WeightScheme scheme = new WeightScheme(bits, symmetric, group);
    float[] w = Arrays64.gaussian(random, out * in, 0.05);
    float[] h = Dense.moments(in, 2 * in + 5, random);
    QuantizedLinear found = gptq(w, out, in, h, scheme, new MinMax(), Workers.single()).linear();
    Steps steps = found.steps();
    TextbookGptq wanted = new TextbookGptq(w, out, in, Dense.damped(h, in, DAMPING), steps, bits);
    int same = 0;
    for (int row = 0; row < out; row++) {
      same += sameRow(found, wanted, row) ? 1 : 0;
    }
    // A weight near a tie may go the other way in f32, and then all after it in its row differ.
    assertThat(same).as("rows of %s with the same codes", out).isGreaterThanOrEqualTo(out * 9 / 10);
  }

  private static boolean sameRow(QuantizedLinear found, TextbookGptq wanted, int row) {
    int in = found.in();
    int length = found.groupLength();
    int largest = (1 << found.scheme().bits()) - 1;
    for (int i = 0; i < in; i++) {
      int at = row * in + i;
      int group = at / length;
      double scale = found.steps().scales()[group];
      int zero = found.steps().zeros()[group];
      if (i % length == 0) {
        checkStep(found.scheme(), wanted.atGroupStart, at, length, scale, zero);
      }
      double place = wanted.compensated[at] / scale;
      double code = Math.min(Math.max(Math.rint(place) + zero, 0), largest);
      if ((found.codes()[at] & 0xFF) != (int) code) {
        double fromTie = Math.abs(place - Math.floor(place) - 0.5);
        assertThat(fromTie).as("row %s column %s, steps from a tie", row, i).isLessThan(5e-3);
        return false;
      }
    }
    return true;
  }

  // A group's step comes from its weights as the columns before it left them, rounded to bf16.
  private static void checkStep(
      WeightScheme scheme, double[] w, int from, int length, double scale, int zero) {
    double low = 0;
    double high = 0;
    for (int i = from; i < from + length; i++) {
      low = Math.min(low, w[i]);
      high = Math.max(high, w[i]);
    }
    int largest = (1 << scheme.bits()) - 1;
    double range = scheme.symmetric() ? 2 * Math.max(-low, high) : high - low;
    assertThat(scale).isCloseTo(range / largest, within(0x1p-7 * 0.51 * range / largest));
    double wanted = scheme.symmetric() ? (largest + 1) / 2.0 : -low / scale;
    assertThat((double) zero).isCloseTo(wanted, within(0.51));
  }

  /** All 4^4 roundings of a row bound GPTQ from below, nearest rounding on average from above. */
  @Test
  void betweenTheBestOfAllAndTheNearest() {
    Random random = new Random(1);
    WeightScheme scheme = new WeightScheme(2, false, 0);
    int in = 4;
    double best = 0;
    double compensated = 0;
    double nearest = 0;
    for (int n = 0; n < 400; n++) {
      float[] w = Arrays64.gaussian(random, 2 * in, 1);
      float[] h = Dense.moments(in, 6, random);
      double[] damped = Dense.damped(h, in, DAMPING);
      StepRule rule = new FixedSteps(1, 1 + random.nextInt(2));
      float[] gptq = gptq(w, 2, in, h, scheme, rule, Workers.single()).linear().dequantize();
      QuantizedLinear rounded = RoundToNearest.quantize(w, 2, in, scheme, ScaleFormat.F32, rule);
      for (int row = 0; row < 2; row++) {
        double ours = error(w, gptq, row, damped);
        double least = leastOfAll(w, row, rounded.steps().zeros()[row], damped);
        assertThat(ours).isGreaterThanOrEqualTo(least * (1 - 1e-9));
        best += least;
        compensated += ours;
        nearest += error(w, rounded.dequantize(), row, damped);
      }
    }
    assertThat(compensated).isLessThan(nearest);
    // Most of what can be won is won.
    assertThat(nearest - compensated).isGreaterThan(0.5 * (nearest - best));
  }

  private static double leastOfAll(float[] w, int row, int zero, double[] h) {
    double least = Double.POSITIVE_INFINITY;
    for (int codes = 0; codes < 256; codes++) {
      double[] e = new double[4];
      for (int i = 0; i < 4; i++) {
        e[i] = (double) w[row * 4 + i] - ((codes >> (2 * i) & 3) - zero);
      }
      least = Math.min(least, Dense.form(e, h));
    }
    return least;
  }

  private static double error(float[] w, float[] rounded, int row, double[] h) {
    int in = (int) Math.sqrt(h.length);
    double[] e = new double[in];
    for (int i = 0; i < in; i++) {
      e[i] = (double) w[row * in + i] - rounded[row * in + i];
    }
    return Dense.form(e, h);
  }

  /** Inputs that are not correlated leave nothing to make up for. */
  @ParameterizedTest
  @CsvSource({"0", "32", "128"})
  void diagonalMomentsGiveTheNearest(int group) {
    int in = 256;
    Random random = new Random(3);
    WeightScheme scheme = new WeightScheme(4, false, group);
    float[] w = Arrays64.gaussian(random, 5 * in, 1);
    float[] h = new float[in * in];
    for (int i = 0; i < in; i++) {
      h[i * in + i] = (float) Math.exp(random.nextGaussian());
    }
    QuantizedLinear found = gptq(w, 5, in, h, scheme, new MinMax(), Workers.single()).linear();
    QuantizedLinear nearest =
        RoundToNearest.quantize(w, 5, in, scheme, ScaleFormat.BF16, new MinMax());
    assertThat(found.codes()).isEqualTo(nearest.codes());
    assertThat(found.steps().scales()).isEqualTo(nearest.steps().scales());
    assertThat(found.steps().zeros()).isEqualTo(nearest.steps().zeros());
  }

  /** The compensated weights are what was rounded, and rows are the same on any threads. */
  @ParameterizedTest
  @CsvSource({"0", "20", "100"})
  void sameBitsForAnyThreads(int group) {
    int out = 200;
    int in = 200;
    Random random = new Random(4);
    WeightScheme scheme = new WeightScheme(3, false, group);
    float[] w = Arrays64.gaussian(random, out * in, 1);
    float[] h = Dense.moments(in, 150, random);
    StepRule rule = new RangeSearch(10, 0.5, 1, 2);
    Gptq.Result first = null;
    for (int threads = 1; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        Gptq.Result found = gptq(w, out, in, h, scheme, rule, workers);
        if (first == null) {
          first = found;
        }
        QuantizedLinear linear = found.linear();
        assertThat(linear.codes()).as("%s threads", threads).isEqualTo(first.linear().codes());
        assertThat(linear.steps().scales()).isEqualTo(first.linear().steps().scales());
        assertThat(linear.steps().zeros()).isEqualTo(first.linear().steps().zeros());
        assertThat(found.compensated()).isEqualTo(first.compensated());
        QuantizedLinear again =
            QuantizedLinear.round(found.compensated(), out, in, scheme, linear.steps());
        assertThat(again.codes()).isEqualTo(linear.codes());
      }
    }
  }

  /** Steps that a rule chose as it went on, given back, lead to the same codes. */
  @ParameterizedTest
  @CsvSource({"0,true", "20,false", "100,true"})
  void takesTheStepsThatAreGiven(int group, boolean symmetric) {
    int in = 200;
    Random random = new Random(5);
    WeightScheme scheme = new WeightScheme(3, symmetric, group);
    float[] w = Arrays64.gaussian(random, 70 * in, 1);
    float[] h = Dense.moments(in, 150, random);
    Gptq.Result chosen =
        gptq(w, 70, in, h, scheme, new RangeSearch(10, 0.5, 1, 2), Workers.single());
    StepRule given = new GivenSteps(chosen.linear().steps());
    Gptq.Result again = gptq(w, 70, in, h, scheme, given, Workers.single());
    assertThat(again.linear().codes()).isEqualTo(chosen.linear().codes());
    assertThat(again.compensated()).isEqualTo(chosen.compensated());
    assertThat(again.linear().steps().scales()).isEqualTo(chosen.linear().steps().scales());
    assertThat(again.linear().steps().zeros()).isEqualTo(chosen.linear().steps().zeros());
  }

  @Test
  void refusesWhatDoesNotFit() {
    Gptq gptq = new Gptq(new WeightScheme(4, true, 0), ScaleFormat.BF16, new MinMax(), MATMUL);
    float[] none = {};
    assertThatThrownBy(() -> gptq.quantize(none, 1, 46_341, none, none, Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("46341")
        .hasMessageContaining("at most 46340");
    assertThatThrownBy(() -> gptq.quantize(none, 100_000, 40_000, none, none, Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("100000×40000 need 4000000000 elements, the array has 0");
  }

  private static Gptq.Result gptq(
      float[] w, int out, int in, float[] h, WeightScheme scheme, StepRule rule, Workers workers) {
    StageFactors factors = StageFactors.of(in, h.clone(), null, DAMPING, 0, MATMUL, workers);
    return new Gptq(scheme, ScaleFormat.BF16, rule, MATMUL)
        .quantize(w.clone(), out, in, factors.inverseUpper(), factors.importance(), workers);
  }
}
