package io.shardpress.spark.learn.coupled;

import io.shardpress.kernels.learn.CoupledDescent;
import io.shardpress.kernels.learn.Gptq;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.learn.gptq.FactorStep;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Lowers tr(A·E·H̃·Eᵀ) over the integers and steps of rows that the end loss couples, from what
 * GPTQ has solved: all rows of a site at once, or a tile of a linear's rows, in which smaller tiles
 * are coupled each by itself.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param factors what made the part with the moments
 * @param curvature what made the part with the row factors
 * @param linears all that are learned of the site, or one of them
 * @param alpha how much of the targets' correction is applied
 * @param rounds turns of steps and integers
 * @param sweeps over all integers in a turn, at most
 * @param keepLatents whether the weights that round to the integers are kept for what goes on
 */
public record CoupledStep(
    String arithmetic,
    FactorStep factors,
    PartKey curvature,
    SiteRows rows,
    List<CoupledLinear> linears,
    ScaleFormat format,
    double alpha,
    int rounds,
    int sweeps,
    boolean keepLatents)
    implements Step {
  private static final StepKind KIND = new StepKind("coupled", 1);

  public CoupledStep {
    linears = List.copyOf(linears);
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public List<PartKey> parts() {
    List<PartKey> parts = new ArrayList<>();
    for (CoupledLinear linear : linears) {
      linear.tiles().forEach(tile -> parts.add(part(linear, tile)));
    }
    return parts;
  }

  /** The part with a tile of a linear. */
  PartKey part(CoupledLinear linear, int tile) {
    return part(linear.role().label() + " " + tile);
  }

  @Override
  public Reads reads() {
    return Reads.parts(factors.part(), curvature);
  }

  /** A linear's rows as descent begins with them. */
  private record Start(QuantizedLinear linear, float[] original, float[] target) {}

  @Override
  public void run(TaskEnvironment environment) {
    StageFactors stage = factors.stage(environment.store());
    List<Start> starts = linears.stream().map(linear -> start(linear, stage, environment)).toList();
    float[] moments = factors.readMoments(environment.store());
    stage.damp(moments);
    CoupledDescent descent = new CoupledDescent(format, rounds, sweeps, environment.matmul());
    List<Gptq.Result> results =
        rows.whole()
            ? together(starts, moments, descent, environment)
            : List.of(inTiles(starts.get(0), moments, descent, environment));
    for (int i = 0; i < results.size(); i++) {
      write(linears.get(i), results.get(i), starts.get(i).original(), environment);
    }
  }

  private Start start(CoupledLinear linear, StageFactors stage, TaskEnvironment environment) {
    RowTile all = linear.rows();
    LearnedLinear start = linear.start();
    List<PartKey> tiles = linear.tiles().stream().map(start.tiles()::get).toList();
    QuantizedLinear solved =
        new LearnedLinear(start.module(), start.out(), start.in(), start.scheme(), tiles)
            .readRows(environment.store(), all);
    float[] w = environment.reader().readFloats(linear.source(), all.start(), all.count());
    float[] target =
        stage.corrected(
            w, all.start(), all.count(), alpha, environment.matmul(), environment.workers());
    return new Start(solved, w, target);
  }

  /** All rows of a site that are learned, with what A has of them. */
  private List<Gptq.Result> together(
      List<Start> starts, float[] moments, CoupledDescent descent, TaskEnvironment environment) {
    float[] a = RowFactorsStep.read(environment.store(), curvature, rows, 0);
    List<QuantizedLinear> solved = starts.stream().map(Start::linear).toList();
    List<float[]> targets = starts.stream().map(Start::target).toList();
    return descent.improve(solved, targets, ofLearned(a), moments, environment.workers()).linears();
  }

  /** The rows and columns of A [R×R] that belong to linears which are learned. */
  private float[] ofLearned(float[] a) {
    int all = rows.tiles().get(0).count();
    int[] learned =
        linears.stream()
            .flatMapToInt(
                linear -> {
                  int top = rows.top(linear.number());
                  return IntStream.range(top, top + linear.start().out());
                })
            .toArray();
    if (learned.length == all) {
      return a;
    }
    float[] some = new float[learned.length * learned.length];
    for (int i = 0; i < learned.length; i++) {
      for (int j = 0; j < learned.length; j++) {
        some[i * learned.length + j] = a[learned[i] * all + learned[j]];
      }
    }
    return some;
  }

  /** A linear's rows, in tiles that see nothing of each other. */
  private Gptq.Result inTiles(
      Start start, float[] moments, CoupledDescent descent, TaskEnvironment environment) {
    QuantizedLinear solved = start.linear();
    int in = solved.in();
    int groups = solved.steps().groups();
    RowTile all = linears.get(0).rows();
    byte[] codes = new byte[solved.codes().length];
    float[] latents = new float[codes.length];
    Steps steps = new Steps(solved.out(), groups);
    List<SiteRows.Tile> tiles = rows.tiles();
    for (int tile = 0; tile < tiles.size(); tile++) {
      SiteRows.Tile at = tiles.get(tile);
      int from = at.start() - all.start();
      if (at.linear() != linears.get(0).number() || from < 0 || from >= all.count()) {
        continue;
      }
      environment.checkpoint();
      float[] a = RowFactorsStep.read(environment.store(), curvature, rows, tile);
      float[] target = Arrays.copyOfRange(start.target(), from * in, (from + at.count()) * in);
      Gptq.Result improved =
          descent
              .improve(
                  List.of(solved.rows(from, at.count())),
                  List.of(target),
                  a,
                  moments,
                  environment.workers())
              .linears()
              .get(0);
      QuantizedLinear result = improved.linear();
      System.arraycopy(improved.compensated(), 0, latents, from * in, at.count() * in);
      System.arraycopy(result.codes(), 0, codes, from * in, at.count() * in);
      System.arraycopy(
          result.steps().scales(), 0, steps.scales(), from * groups, at.count() * groups);
      System.arraycopy(
          result.steps().zeros(), 0, steps.zeros(), from * groups, at.count() * groups);
    }
    QuantizedLinear linear = new QuantizedLinear(solved.out(), in, solved.scheme(), codes, steps);
    return new Gptq.Result(linear, latents);
  }

  private void write(
      CoupledLinear linear, Gptq.Result improved, float[] w, TaskEnvironment environment) {
    QuantizedLinear result = improved.linear();
    int in = result.in();
    int out = linear.start().out();
    int top = linear.rows().start();
    List<RowTile> all = RowTile.of(out, in);
    for (int number : linear.tiles()) {
      RowTile tile = all.get(number);
      int from = tile.start() - top;
      float[] original = Arrays.copyOfRange(w, from * in, (from + tile.count()) * in);
      float[] latents =
          keepLatents
              ? Arrays.copyOfRange(improved.compensated(), from * in, (from + tile.count()) * in)
              : null;
      try (PartWriter writer = environment.store().write(part(linear, number))) {
        TileCodec.write(
            writer,
            linear.start().module(),
            out,
            tile.start(),
            result.rows(from, tile.count()),
            original,
            latents);
        factors
            .tokens(environment.store())
            .ifPresent(t -> t.write(writer, linear.start().module()));
        writer.commit();
      }
    }
  }
}
