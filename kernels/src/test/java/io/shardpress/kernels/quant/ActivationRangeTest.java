package io.shardpress.kernels.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@OnVectors
class ActivationRangeTest {
  private static final int N = 200_000;

  @Test
  void wholeRanges() {
    ActivationRange range = observed(new float[] {-3, 0, 1.5f, 6});
    assertThat(range.least()).isEqualTo(-3);
    assertThat(range.greatest()).isEqualTo(6);
    assertThat(range.absMax()).isEqualTo(6);
    assertStep(range.wholeSymmetric(ActivationFormat.INT8), 6 / 127.5, 128);
    assertStep(range.wholeSymmetric(ActivationFormat.FP8_E4M3), 6 / 448.0, 128);
    assertStep(range.wholeAsymmetric(), 9 / 255.0, 85);
    // Zero is in every range.
    assertStep(observed(new float[] {2, 4}).wholeAsymmetric(), 4 / 255.0, 0);
    assertStep(observed(new float[] {-2, -4}).wholeAsymmetric(), 4 / 255.0, 255);
  }

  /** Every number is in its bin, bins follow one another, and none is wider than 1/64. */
  @Test
  void binsHoldTheirNumbers() {
    Random random = new Random(1);
    for (int i = 0; i < 100_000; i++) {
      float x = (float) (random.nextGaussian() * Math.exp(random.nextGaussian() * 6));
      if (Math.abs(x) >= 0x1p32f) {
        continue;
      }
      int bin = Bins.of(x);
      assertThat(x).isBetween(Bins.from(bin), Bins.to(bin));
      assertThat(Bins.of(-x)).isEqualTo(Bins.opposite(bin));
    }
    for (int bin = 1; bin < Bins.COUNT; bin++) {
      float from = Bins.from(bin);
      float to = Bins.to(bin);
      assertThat(from).isEqualTo(Bins.to(bin - 1)).isLessThan(to);
      float size = Math.min(Math.abs(from), Math.abs(to));
      assertThat(to - from).isLessThanOrEqualTo(Math.max(size / 64, 0x1p-31f));
    }
    assertThat(Bins.of(0)).isEqualTo(Bins.of(-0f)).isEqualTo(Bins.COUNT / 2);
    assertThat(Bins.of(Float.MAX_VALUE)).isEqualTo(Bins.COUNT - 1);
    assertThat(Bins.of(-Float.MAX_VALUE)).isZero();
  }

  @Test
  void theSameForAnyCutsOrdersAndThreads() {
    float[] x = activations(2);
    ActivationRange whole = observed(x);
    for (int threads = 1; threads <= 3; threads++) {
      List<ActivationRange> parts = new ArrayList<>();
      try (Workers workers = Workers.of(threads)) {
        for (int from = 0; from < N; from += 70_000) {
          float[] part = Arrays.copyOfRange(x, from, Math.min(N, from + 70_000));
          ActivationRange range = new ActivationRange();
          range.observe(part, part.length, workers);
          parts.add(new ActivationRange(range.counts(), range.least(), range.greatest()));
        }
        ActivationRange threaded = new ActivationRange();
        threaded.observe(x, N, workers);
        assertThat(threaded.counts()).isEqualTo(whole.counts());
      }
      Collections.shuffle(parts, new Random(threads));
      ActivationRange merged = new ActivationRange();
      parts.forEach(merged::merge);
      assertThat(merged.counts()).isEqualTo(whole.counts());
      assertThat(merged.leastErrorSymmetric()).isEqualTo(whole.leastErrorSymmetric());
      assertThat(merged.leastErrorAsymmetric()).isEqualTo(whole.leastErrorAsymmetric());
    }
    assertThat(Arrays.stream(whole.counts()).sum()).isEqualTo(N);
  }

  /** The elements' own error, one by one, is near the least of a fine search over percentiles. */
  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5})
  void symmetricStepHasNearlyTheLeastError(int seed) {
    float[] x = activations(seed);
    float[] sizes = new float[N];
    for (int i = 0; i < N; i++) {
      sizes[i] = Math.abs(x[i]);
    }
    Arrays.sort(sizes);
    double least = Double.POSITIVE_INFINITY;
    for (int outside = 0; outside <= N / 1000; outside++) {
      ActivationStep step = ActivationStep.symmetric(ActivationFormat.INT8, sizes[N - 1 - outside]);
      least = outside % 5 == 0 ? Math.min(least, error(x, step)) : least;
    }
    ActivationRange range = observed(x);
    ActivationStep found = range.leastErrorSymmetric();
    assertThat(error(x, found)).isLessThan(1.1 * least);
    double whole = error(x, range.wholeSymmetric(ActivationFormat.INT8));
    assertThat(error(x, found)).isLessThan(0.9 * whole);
    assertThat(found.zero()).isEqualTo(128);
    // No more than a thousandth is cut off.
    assertThat(found.scale() * 127.5).isGreaterThan(sizes[N - 1 - N / 1000] * 0.99);
  }

  @Test
  void asymmetricStepTakesEachSideForItself() {
    float[] x = activations(6);
    for (int i = 0; i < N; i++) {
      // One side short and full, the other with a long tail.
      x[i] = x[i] < 0 ? (float) Math.max(-0.2, x[i]) : x[i];
    }
    ActivationRange range = observed(x);
    ActivationStep found = range.leastErrorAsymmetric();
    assertThat(found.zero() * found.scale()).isCloseTo(0.2f, within(found.scale()));
    assertThat(error(x, found)).isLessThan(0.9 * error(x, range.wholeAsymmetric()));
    assertThat(error(x, found)).isLessThan(error(x, range.leastErrorSymmetric()));
  }

  /** Without a tail nothing is gained by cutting off. */
  @Test
  void evenlySpreadElementsKeepTheWholeRange() {
    float[] x = new float[N];
    for (int i = 0; i < N; i++) {
      x[i] = 2 * (i - N / 2f) / N;
    }
    ActivationRange range = observed(x);
    assertThat(range.leastErrorSymmetric().scale())
        .isCloseTo(range.wholeSymmetric(ActivationFormat.INT8).scale(), within(2e-5f));
  }

  @Test
  void nothingConstantAndBroken() {
    ActivationRange none = new ActivationRange();
    assertThat(none.absMax()).isZero();
    for (ActivationRange range : List.of(none, observed(new float[100]))) {
      for (ActivationStep step :
          List.of(
              range.leastErrorSymmetric(),
              range.leastErrorAsymmetric(),
              range.wholeAsymmetric(),
              range.wholeSymmetric(ActivationFormat.FP8_E4M3))) {
        float[] zeros = new float[20];
        step.fakeQuantize(new float[20], zeros, 0, 20);
        assertThat(zeros).containsOnly(0);
      }
    }
    float[] constant = new float[50];
    Arrays.fill(constant, -7);
    for (ActivationStep step :
        List.of(
            observed(constant).leastErrorSymmetric(), observed(constant).leastErrorAsymmetric())) {
      assertThat(error(constant, step)).isLessThan(50 * 1e-3);
    }
    for (float broken : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> observed(new float[] {1, broken, 2}))
          .isInstanceOf(ArithmeticException.class)
          .hasMessageContaining("wanted finite ones");
    }
    assertThatThrownBy(() -> new ActivationRange(new long[3], 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Cubes of normal numbers: most near zero, with long tails. */
  private static float[] activations(int seed) {
    float[] x = Arrays64.gaussian(new Random(seed), N, 1);
    for (int i = 0; i < N; i++) {
      x[i] = x[i] * x[i] * x[i];
    }
    return x;
  }

  private static ActivationRange observed(float[] x) {
    ActivationRange range = new ActivationRange();
    range.observe(x, x.length, Workers.single());
    return range;
  }

  private static double error(float[] x, ActivationStep step) {
    double sum = 0;
    for (float value : x) {
      double code = Math.rint((double) value / step.scale()) + step.zero();
      double rounded = step.scale() * (Math.min(Math.max(code, 0), 255) - step.zero());
      sum += (value - rounded) * (value - rounded);
    }
    return sum;
  }

  private static void assertStep(ActivationStep step, double scale, int zero) {
    assertThat((double) step.scale()).isCloseTo(scale, within(1e-6 * scale));
    assertThat(step.zero()).isEqualTo(zero);
  }
}
