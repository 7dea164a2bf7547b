package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@OnVectors
class CoupledDescentTest {
  /** What f32 products leave of an objective that is computed in f64. */
  private static final double ROUNDING = 1e-4;

  private static WeightScheme scheme(int bits, boolean symmetric, int group) {
    return new WeightScheme(bits, symmetric, group);
  }

  /** Tiles that are not full, several of them, groups shorter and longer than a block. */
  @ParameterizedTest
  @CsvSource({
    "40,24,4,false,0,F32",
    "40,24,3,true,8,BF16",
    "150,30,2,false,0,F32",
    "300,20,3,false,150,F32",
    "64,140,3,false,0,BF16",
    "160,150,4,true,32,F16",
    "1,3,4,false,0,F32",
    "7,1,2,false,0,F32"
  })
  void doesWhatTheFormulasSay(
      int in, int rows, int bits, boolean symmetric, int group, ScaleFormat format) {
    Random random = new Random(in + rows);
    CoupledStage stage =
        CoupledStage.random(
            random, in, new int[] {rows}, List.of(scheme(bits, symmetric, group)), format);
    CoupledDescent.Result found = stage.improved(2, 3, Workers.single());
    QuantizedLinear linear = found.linears().get(0).linear();
    CoupledOracle oracle = new CoupledOracle(stage.starts(), stage.targets(), stage.a(), stage.h());
    double before = oracle.objective();
    oracle.improve(format, 2, 3);
    double wanted = oracle.objective();
    int same = 0;
    for (int i = 0; i < rows * in; i++) {
      same += oracle.code(i / in, i % in) == (linear.codes()[i] & 0xFF) ? 1 : 0;
    }
    double after = stage.objective(CoupledStage.linears(found));
    assertThat(found.before()).isCloseTo(before, within(ROUNDING * before + 1e-12));
    assertThat(found.after()).isCloseTo(after, within(ROUNDING * before + 1e-12));
    // A tie or a scale that rounds the other way leads the two apart; both go down as far.
    assertThat(same).isGreaterThanOrEqualTo(rows * in * 85 / 100);
    assertThat(after).isCloseTo(wanted, within(0.05 * wanted + 1e-12));
    for (float scale : linear.steps().scales()) {
      assertThat(scale).isPositive().isEqualTo(format.round(scale));
    }
    assertThat(linear.steps().zeros()).isEqualTo(stage.starts().get(0).steps().zeros());
  }

  /** One sweep alone, without scales, leaves no room for paths to part. */
  @ParameterizedTest
  @CsvSource({"40,24,0", "130,10,0", "32,150,8"})
  void oneSweepHasTheOraclesCodes(int in, int rows, int group) {
    CoupledStage stage =
        CoupledStage.random(
            new Random(1), in, new int[] {rows}, List.of(scheme(4, false, group)), ScaleFormat.F32);
    CoupledOracle oracle = new CoupledOracle(stage.starts(), stage.targets(), stage.a(), stage.h());
    CoupledProblem problem =
        new CoupledProblem(
            new CoupledRows(stage.starts(), stage.targets()),
            stage.a(),
            stage.h(),
            ScaleFormat.F32,
            CoupledStage.MATMUL,
            Workers.single());
    problem.restart();
    assertThat(problem.sweep()).isTrue();
    byte[] codes = problem.results().get(0).linear().codes();
    oracle.objective();
    oracle.sweepOnce();
    int differing = 0;
    for (int i = 0; i < codes.length; i++) {
      differing += oracle.code(i / in, i % in) == (codes[i] & 0xFF) ? 0 : 1;
    }
    assertThat(differing).isLessThanOrEqualTo(codes.length / 100);
  }

  /** Linears of other bits, groups and symmetry, stacked; dead inputs; rows without gradient. */
  @Test
  void theObjectiveNeverRises() {
    Random random = new Random(8);
    List<ScaleFormat> formats = List.of(ScaleFormat.values());
    int lowered = 0;
    for (int n = 0; n < 60; n++) {
      int in = 4 * (1 + random.nextInt(40));
      int[] outs = new int[1 + random.nextInt(3)];
      WeightScheme[] schemes = new WeightScheme[outs.length];
      for (int l = 0; l < outs.length; l++) {
        outs[l] = 1 + random.nextInt(80);
        int bits = new int[] {2, 3, 4, 8}[random.nextInt(4)];
        schemes[l] = scheme(bits, random.nextBoolean(), new int[] {0, 4, in}[random.nextInt(3)]);
      }
      int rows = Arrays.stream(outs).sum();
      double[] g = Dense.inputs(rows, 1 + random.nextInt(2 * rows), random);
      double[] x = Dense.inputs(in, 1 + random.nextInt(2 * in), random);
      for (int i = 0; i < g.length; i++) {
        g[i] *= n % 3 == 1 && i % rows % 5 == 2 ? 0 : n % 4 == 2 && i % rows == 0 ? 1000 : 1;
      }
      for (int i = 0; i < x.length; i++) {
        x[i] *= n % 2 == 1 && i % in % 5 == 2 ? 0 : n % 5 == 2 && i % in == 1 ? 1000 : 1;
      }
      float[] a = Dense.product(rows, g, null, g.length / rows);
      RowFactors.normalise(a, RowFactors.diagonalSum(a) / rows, n % 6 == 5 ? 0 : 0.1);
      float[] moments = Dense.product(in, x, null, x.length / in);
      ScaleFormat format = formats.get(random.nextInt(formats.size()));
      CoupledStage stage = CoupledStage.of(random, in, outs, List.of(schemes), format, a, moments);
      CoupledDescent.Result found = stage.improved(2, 3, Workers.single());
      double before = stage.objective(stage.starts());
      double after = stage.objective(CoupledStage.linears(found));
      assertThat(after).as("case %s", n).isLessThanOrEqualTo(before * (1 + ROUNDING) + 1e-12);
      assertThat(found.after()).isLessThanOrEqualTo(found.before());
      lowered += after < before ? 1 : 0;
      for (int l = 0; l < outs.length; l++) {
        Gptq.Result linear = found.linears().get(l);
        check(linear, schemes[l], in);
      }
    }
    assertThat(lowered).isGreaterThan(55);
  }

  private static void check(Gptq.Result result, WeightScheme scheme, int in) {
    QuantizedLinear linear = result.linear();
    int most = (1 << scheme.bits()) - 1;
    for (int i = 0; i < linear.codes().length; i++) {
      int code = linear.codes()[i] & 0xFF;
      assertThat(code).isBetween(0, most);
      assertThat(result.compensated()[i]).isFinite();
      float place = result.compensated()[i] / linear.steps().scales()[i / linear.groupLength()];
      int zero = linear.steps().zeros()[i / linear.groupLength()];
      assertThat((double) place).isCloseTo(code - zero, within(0.46));
    }
    QuantizedLinear again =
        QuantizedLinear.round(result.compensated(), linear.out(), in, scheme, linear.steps());
    assertThat(again.codes()).isEqualTo(linear.codes());
  }

  /** Of all 4^6 codes with the scales that were found; and no change of one code is better. */
  @Test
  void endsNearTheBestOfAllCodes() {
    Random random = new Random(5);
    int in = 3;
    double best = 0;
    double ours = 0;
    double start = 0;
    for (int n = 0; n < 200; n++) {
      CoupledStage stage =
          CoupledStage.random(
              random,
              in,
              new int[] {1, 1},
              List.of(scheme(2, false, 0), scheme(2, true, 0)),
              ScaleFormat.F32);
      List<QuantizedLinear> found = CoupledStage.linears(stage.improved(20, 20, Workers.single()));
      double error = stage.objective(found);
      double least = Double.POSITIVE_INFINITY;
      double leastOfStart = Double.POSITIVE_INFINITY;
      for (int codes = 0; codes < 1 << 12; codes++) {
        byte[][] all = new byte[2][in];
        int differing = 0;
        for (int i = 0; i < 6; i++) {
          byte code = (byte) (codes >> (2 * i) & 3);
          differing += found.get(i / 3).codes()[i % 3] == code ? 0 : 1;
          all[i / 3][i % 3] = code;
        }
        double other = stage.objective(with(found, all));
        if (differing == 1) {
          assertThat(error).isLessThanOrEqualTo(other * (1 + ROUNDING) + 1e-12);
        }
        least = Math.min(least, other);
        leastOfStart = Math.min(leastOfStart, stage.objective(with(stage.starts(), all)));
      }
      best += least;
      ours += error;
      start += stage.objective(stage.starts());
    }
    assertThat(ours).isBetween(best * (1 - ROUNDING), start);
    assertThat(ours - best).isLessThan(0.35 * (start - best));
  }

  private static List<QuantizedLinear> with(List<QuantizedLinear> linears, byte[][] codes) {
    return List.of(with(linears.get(0), codes[0]), with(linears.get(1), codes[1]));
  }

  private static QuantizedLinear with(QuantizedLinear linear, byte[] codes) {
    return new QuantizedLinear(1, linear.in(), linear.scheme(), codes, linear.steps());
  }

  /** What the whole of it is for: rows make up for one another. */
  @Test
  void couplingLowersWhatRowsByThemselvesCannot() {
    CoupledStage stage =
        CoupledStage.random(
            new Random(3),
            64,
            new int[] {48, 32},
            List.of(scheme(3, false, 0), scheme(3, false, 0)),
            ScaleFormat.BF16);
    CoordinateDescent alone = new CoordinateDescent(ScaleFormat.BF16, 4, 6, CoupledStage.MATMUL);
    List<QuantizedLinear> apart =
        java.util.stream.IntStream.range(0, 2)
            .mapToObj(
                l ->
                    alone
                        .improve(
                            new Gptq.Result(stage.starts().get(l), stage.targets().get(l)),
                            stage.targets().get(l),
                            stage.h(),
                            Workers.single())
                        .linear())
            .toList();
    double coupled = stage.objective(CoupledStage.linears(stage.improved(2, 6, Workers.single())));
    assertThat(coupled).isLessThan(0.8 * stage.objective(apart));
  }

  @ParameterizedTest
  @CsvSource({"0", "40"})
  void sameBitsForAnyThreads(int group) {
    CoupledStage stage =
        CoupledStage.random(
            new Random(4),
            200,
            new int[] {100, 170},
            List.of(scheme(3, false, group), scheme(4, true, 0)),
            ScaleFormat.BF16);
    CoupledDescent.Result first = stage.improved(2, 3, Workers.single());
    for (int threads = 2; threads <= 3; threads++) {
      try (Workers workers = Workers.of(threads)) {
        CoupledDescent.Result found = stage.improved(2, 3, workers);
        assertThat(found.after()).isEqualTo(first.after());
        for (int l = 0; l < 2; l++) {
          Gptq.Result one = first.linears().get(l);
          Gptq.Result other = found.linears().get(l);
          assertThat(other.linear().codes()).isEqualTo(one.linear().codes());
          assertThat(other.linear().steps().scales()).isEqualTo(one.linear().steps().scales());
          assertThat(other.compensated()).isEqualTo(one.compensated());
        }
      }
    }
  }

  /** The latents are those of the formula: c − z − clamp(E·H/(H_jj·s), ±0.45). */
  @Test
  void latentsAreThoseOfTheFormula() {
    CoupledStage stage =
        CoupledStage.random(
            new Random(6), 48, new int[] {20}, List.of(scheme(3, false, 16)), ScaleFormat.F32);
    Gptq.Result found = stage.improved(2, 3, Workers.single()).linears().get(0);
    CoupledOracle oracle =
        new CoupledOracle(List.of(found.linear()), stage.targets(), stage.a(), stage.h());
    oracle.objective();
    float[] latents = SparseLatents.latents(found);
    for (int i = 0; i < latents.length; i++) {
      float scale = found.linear().steps().scales()[i / 16];
      int zero = found.linear().steps().zeros()[i / 16];
      double shift = oracle.errorTimesH(i / 48, i % 48) / (stage.h()[i % 48 * 49] * scale);
      double wanted =
          (found.linear().codes()[i] & 0xFF) - zero - Math.max(-0.45, Math.min(0.45, shift));
      assertThat((double) latents[i]).isCloseTo(wanted, within(1e-3));
    }
  }

  /** A singular A, an H with a negative eigenvalue, numbers that are none: all ends, all finite. */
  @Test
  void hardMatricesLeaveFiniteLinears() {
    Random random = new Random(2);
    int in = 24;
    int rows = 20;
    for (int kind = 0; kind < 5; kind++) {
      CoupledStage stage =
          CoupledStage.random(
              random, in, new int[] {rows}, List.of(scheme(4, false, 8)), ScaleFormat.BF16);
      float[] a = stage.a().clone();
      float[] h = stage.h().clone();
      switch (kind) {
        case 0 -> Arrays.fill(a, 1);
        case 1 -> Arrays.fill(a, 0);
        case 2 -> h[3 * in + 3] = -h[3 * in + 3];
        case 3 -> h[5] = Float.NaN;
        default -> a[7] = Float.POSITIVE_INFINITY;
      }
      CoupledDescent.Result found =
          new CoupledDescent(ScaleFormat.BF16, CoupledStage.MATMUL)
              .improve(stage.starts(), stage.targets(), a, h, Workers.single());
      QuantizedLinear linear = found.linears().get(0).linear();
      check(found.linears().get(0), linear.scheme(), in);
      for (float scale : linear.steps().scales()) {
        assertThat(scale).isFinite().isPositive();
      }
      if (kind == 1 || kind >= 3) {
        assertThat(linear.codes()).isEqualTo(stage.starts().get(0).codes());
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    CoupledStage stage =
        CoupledStage.random(
            new Random(2), 16, new int[] {8}, List.of(scheme(4, false, 0)), ScaleFormat.F32);
    CoupledDescent descent = new CoupledDescent(ScaleFormat.F32, CoupledStage.MATMUL);
    assertThatThrownBy(
            () ->
                descent.improve(
                    stage.starts(), stage.targets(), new float[63], stage.h(), Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A is 8×8 and needs 64 elements, its array has 63");
    assertThatThrownBy(
            () ->
                descent.improve(
                    stage.starts(),
                    List.of(new float[127]),
                    stage.a(),
                    stage.h(),
                    Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("8×16 with a target of 127 elements");
    QuantizedLinear floating =
        new QuantizedLinear(
            8, 16, WeightScheme.of(WeightForm.FP8_CHANNEL), new byte[128], new Steps(8, 1));
    assertThatThrownBy(
            () ->
                descent.improve(
                    List.of(floating), stage.targets(), stage.a(), stage.h(), Workers.single()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("FP8_CHANNEL");
  }
}
