package io.shardpress.kernels.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.reference.OnVectors;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tiles of rows by themselves, and what a pass over their colours gives back of the cut. */
@OnVectors
class TileSweepTest {
  private static final WeightScheme SCHEME = new WeightScheme(3, false, 0);

  private static CoupledStage stage() {
    return CoupledStage.random(
        new Random(3), 48, new int[] {40, 24}, List.of(SCHEME, SCHEME), ScaleFormat.BF16);
  }

  /** Every tile by itself. */
  private static List<QuantizedLinear> tiled(CoupledStage stage, RowTiling tiling) {
    List<QuantizedLinear> linears = new ArrayList<>();
    stage.starts().forEach(linear -> linears.add(TiledLinears.copy(linear)));
    for (int t = 0; t < tiling.tiles().length; t++) {
      CoupledDescent.Result tile =
          new CoupledDescent(stage.format(), CoupledStage.MATMUL)
              .improve(
                  TiledLinears.take(tiling, t, stage.starts()),
                  TiledLinears.take(tiling, t, stage.targets(), 48),
                  own(stage, tiling.tiles()[t]),
                  stage.h(),
                  Workers.single());
      TiledLinears.put(tiling, t, CoupledStage.linears(tile), linears);
    }
    return linears;
  }

  private static float[] own(CoupledStage stage, int[] rows) {
    float[] own = new float[rows.length * rows.length];
    for (int i = 0; i < own.length; i++) {
      own[i] = stage.a()[rows[i / rows.length] * 64 + rows[i % rows.length]];
    }
    return own;
  }

  @ParameterizedTest
  @CsvSource({"8,4,1,true", "8,4,0.5,false", "16,4,1,false", "5,13,1,true"})
  void aPassLowersWhatTheCutHasLost(int most, int colours, double beta, boolean together) {
    CoupledStage stage = stage();
    RowTiling tiling = together ? RowTiling.together(most, 40, 24) : RowTiling.apart(most, 40, 24);
    List<QuantizedLinear> start = tiled(stage, tiling);
    CoupledDescent.Result found =
        new TileSweep(stage.format(), 3, colours, beta, CoupledStage.MATMUL)
            .improve(start, stage.targets(), tiling, stage.a(), stage.h(), Workers.single());
    double before = stage.objective(start);
    double after = stage.objective(CoupledStage.linears(found));
    double whole =
        stage.objective(
            CoupledStage.linears(
                new CoupledDescent(stage.format(), CoupledStage.MATMUL)
                    .improve(
                        stage.starts(), stage.targets(), stage.a(), stage.h(), Workers.single())));
    assertThat(found.before()).isCloseTo(before, within(1e-4 * before));
    assertThat(found.after()).isCloseTo(after, within(1e-4 * before));
    assertThat(after).isLessThan(before);
    // Half of what the cut cost comes back at least.
    assertThat(after - whole).isLessThan(0.5 * (before - whole));
    for (int l = 0; l < 2; l++) {
      Gptq.Result linear = found.linears().get(l);
      QuantizedLinear again =
          QuantizedLinear.round(
              linear.compensated(), linear.linear().out(), 48, SCHEME, linear.linear().steps());
      assertThat(again.codes()).isEqualTo(linear.linear().codes());
    }
  }

  /** All tiles at once make up for the same errors; what is worse is not taken. */
  @Test
  void neverEndsAboveItsStart() {
    CoupledStage stage = stage();
    RowTiling tiling = RowTiling.apart(2, 40, 24);
    List<QuantizedLinear> start = tiled(stage, tiling);
    CoupledDescent.Result found =
        new TileSweep(stage.format(), 3, 1, 3, CoupledStage.MATMUL)
            .improve(start, stage.targets(), tiling, stage.a(), stage.h(), Workers.single());
    assertThat(found.after()).isLessThanOrEqualTo(found.before());
    assertThat(stage.objective(CoupledStage.linears(found)))
        .isLessThanOrEqualTo(stage.objective(start) * (1 + 1e-6));
  }

  @Test
  void rowsTakenAndPutBackAreTheSame() {
    CoupledStage stage = stage();
    RowTiling tiling = RowTiling.together(7, 40, 24);
    List<QuantizedLinear> empty = new ArrayList<>();
    List<float[]> targets = new ArrayList<>();
    for (QuantizedLinear linear : stage.starts()) {
      int out = linear.out();
      Steps steps = new Steps(out, 1, new float[out], linear.steps().zeros());
      empty.add(new QuantizedLinear(out, 48, SCHEME, new byte[out * 48], steps));
      targets.add(new float[out * 48]);
    }
    for (int t = 0; t < tiling.tiles().length; t++) {
      TiledLinears.put(tiling, t, TiledLinears.take(tiling, t, stage.starts()), empty);
      List<float[]> some = TiledLinears.take(tiling, t, stage.targets(), 48);
      TiledLinears.put(tiling, t, some, targets, 48);
    }
    for (int l = 0; l < 2; l++) {
      assertThat(empty.get(l).codes()).isEqualTo(stage.starts().get(l).codes());
      assertThat(empty.get(l).steps().scales()).isEqualTo(stage.starts().get(l).steps().scales());
      assertThat(targets.get(l)).isEqualTo(stage.targets().get(l));
    }
  }

  /** Groups by importance: as if all columns lay in their order. */
  @Test
  void groupsByImportance() {
    CoupledStage stage = stage();
    int in = 48;
    float[] importance = StageFactors.importance(in, stage.h());
    WeightScheme groups = new WeightScheme(3, false, 16);
    float[] moments = stage.h().clone();
    StageFactors factors =
        OrderedGptq.factors(in, moments, null, 0.01, 0, CoupledStage.MATMUL, Workers.single());
    OrderedGptq gptq =
        new OrderedGptq(
            groups,
            ScaleFormat.BF16,
            new io.shardpress.kernels.quant.MinMax(),
            128,
            CoupledStage.MATMUL);
    List<OrderedGptq.GroupResult> starts = new ArrayList<>();
    for (float[] target : stage.targets()) {
      starts.add(
          gptq.quantizeByGroup(
              target.clone(),
              target.length / in,
              in,
              factors.inverseUpper(),
              importance,
              Workers.single()));
    }
    CoupledDescent.GroupResult found =
        new CoupledDescent(ScaleFormat.BF16, CoupledStage.MATMUL)
            .improveByGroup(
                starts, stage.targets(), stage.a(), stage.h(), importance, Workers.single());
    double before = objective(stage, starts);
    double after = objective(stage, found.linears());
    assertThat(found.before()).isCloseTo(before, within(1e-4 * before));
    assertThat(found.after()).isCloseTo(after, within(1e-4 * before));
    assertThat(after).isLessThan(0.9 * before);
    for (int l = 0; l < 2; l++) {
      assertThat(found.linears().get(l).linear().groupIndex())
          .isEqualTo(starts.get(l).linear().groupIndex());
    }
  }

  private static double objective(CoupledStage stage, List<OrderedGptq.GroupResult> linears) {
    int rows = 64;
    int in = 48;
    double[] e = new double[rows * in];
    int at = 0;
    for (int l = 0; l < 2; l++) {
      float[] w = linears.get(l).linear().dequantize();
      for (int i = 0; i < w.length; i++) {
        e[at++] = (double) w[i] - stage.targets().get(l)[i];
      }
    }
    double sum = 0;
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < rows; k++) {
        for (int j = 0; j < in; j++) {
          for (int m = 0; m < in; m++) {
            sum +=
                (double) stage.a()[i * rows + k]
                    * e[k * in + j]
                    * stage.h()[j * in + m]
                    * e[i * in + m];
          }
        }
      }
    }
    return sum;
  }
}
