package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * {@link Gptq} with its columns in the order of falling diag(H) (act-order in the authors' code of
 * arXiv 2210.17323, actorder in llm-compressor): those whose errors count most are rounded first,
 * while there are most columns left to make up for them.
 *
 * <p>The order is that of {@link #order} of the stage's importance, and the factors are those of
 * {@link #factors}.
 */
public final class OrderedGptq {
  private final WeightScheme scheme;
  private final ScaleFormat format;
  private final StepRule rule;
  private final int blockSize;
  private final Matmul matmul;

  /**
   * @param blockSize as for {@link Gptq}
   */
  public OrderedGptq(
      WeightScheme scheme, ScaleFormat format, StepRule rule, int blockSize, Matmul matmul) {
    this.scheme = scheme;
    this.format = format;
    this.rule = rule;
    this.blockSize = blockSize;
    this.matmul = matmul;
  }

  /**
   * A linear on its grid, and the weights that were rounded.
   *
   * @param compensated [out×in] as in {@link Gptq.Result}, columns where the weight has them
   */
  public record GroupResult(IndexedLinear linear, float[] compensated) {}

  /** The columns by falling importance [in], of equal ones the first first. */
  public static int[] order(float[] importance) {
    return ColumnOrder.descending(importance).columns();
  }

  /** As below, with targets that are corrected for their inputs where p is not null. */
  public static StageFactors factors(
      int in, float[] h, float[] p, double damping, double lambda, Matmul matmul, Workers workers) {
    Correction kind = p == null ? Correction.NONE : Correction.INPUTS;
    return factors(in, h, kind, p, damping, lambda, matmul, workers);
  }

  /**
   * As {@link StageFactors#of}, with an inverse whose rows and columns are in the order of falling
   * diag(H); correction and importance are in the order of the inputs.
   */
  public static StageFactors factors(
      int in,
      float[] h,
      Correction kind,
      float[] p,
      double damping,
      double lambda,
      Matmul matmul,
      Workers workers) {
    StageFactors.checkInputs(in);
    float[] importance = StageFactors.importance(in, h);
    ColumnOrder order = ColumnOrder.descending(importance);
    float[] moments = order.takeBoth(h);
    float[] errors =
        switch (kind) {
          case NONE -> null;
          case INPUTS -> order.takeBoth(p);
          case OUTPUTS -> order.take(p, p.length / in);
        };
    StageFactors factors =
        StageFactors.of(in, moments, kind, errors, damping, lambda, matmul, workers);
    float[] correction = factors.correction();
    switch (kind) {
      case NONE -> {}
      case INPUTS -> correction = order.putBothBack(correction);
      case OUTPUTS -> {
        order.putBack(correction, p, p.length / in);
        correction = p;
      }
    }
    return new StageFactors(
        in, factors.inverseUpper(), kind, correction, importance, factors.damping());
  }

  /**
   * The order "static", which llm-compressor also calls "weight": groups are runs of columns, as
   * without any order, and their steps come from w as it is given, before any error is made up for.
   * Takes another 8 bytes for each weight.
   *
   * @param w [out×in], overwritten with the compensated weights
   * @param inverseUpper [in×in] in the order of the columns, see {@link #factors}
   * @param importance [in] diag(H) over its mean
   */
  public Gptq.Result quantizeStatic(
      float[] w, int out, int in, float[] inverseUpper, float[] importance, Workers workers) {
    StageFactors.checkInputs(in);
    ColumnOrder order = ColumnOrder.descending(importance);
    Steps steps = steps(w, out, in, importance, workers);
    int length = in / steps.groups();
    StepRule given =
        (weights, from, to, none, noneFrom, grid, format1, into, place) -> {
          int row = place / into.groups();
          int column = order.columns()[place % into.groups()];
          int group = row * steps.groups() + (into.groups() == 1 ? 0 : column / length);
          into.scales()[place] = steps.scales()[group];
          into.zeros()[place] = steps.zeros()[group];
        };
    // A group of its own for each column lets neighbours in the order have different steps.
    WeightScheme each =
        new WeightScheme(scheme.bits(), scheme.symmetric(), steps.groups() == 1 ? 0 : 1);
    Gptq.Result found =
        new Gptq(each, format, given, blockSize, matmul)
            .quantize(order.take(w, out), out, in, inverseUpper, importance, workers);
    order.putBack(found.compensated(), w, out);
    byte[] codes = order.putBack(found.linear().codes(), out);
    return new Gptq.Result(new QuantizedLinear(out, in, scheme, codes, steps), w);
  }

  /**
   * The order "group": groups are runs of columns in the order of falling diag(H), so that columns
   * of like importance share a step, chosen when the columns before them are rounded. The result
   * needs an index of groups.
   *
   * @param w as for {@link #quantizeStatic}, and so are the others
   */
  public GroupResult quantizeByGroup(
      float[] w, int out, int in, float[] inverseUpper, float[] importance, Workers workers) {
    StageFactors.checkInputs(in);
    ColumnOrder order = ColumnOrder.descending(importance);
    Gptq.Result found =
        new Gptq(scheme, format, rule, blockSize, matmul)
            .quantize(
                order.take(w, out), out, in, inverseUpper, order.take(importance, 1), workers);
    int[] groupIndex = new int[in];
    int length = found.linear().groupLength();
    for (int j = 0; j < in; j++) {
      groupIndex[order.columns()[j]] = j / length;
    }
    order.putBack(found.compensated(), w, out);
    byte[] codes = order.putBack(found.linear().codes(), out);
    IndexedLinear linear =
        new IndexedLinear(out, in, scheme, codes, found.linear().steps(), groupIndex);
    return new GroupResult(linear, w);
  }

  /**
   * Coordinate descent from a result of {@link #quantizeByGroup}: no row is worse than there.
   * Groups are runs of columns only in their order, so all of it runs there.
   *
   * @param target w* [out×in], columns where the weight has them
   * @param h H [in×in], likewise, its diagonal above 0
   * @param importance as for {@link #quantizeByGroup}
   */
  public GroupResult improve(
      GroupResult start,
      CoordinateDescent descent,
      float[] target,
      float[] h,
      float[] importance,
      Workers workers) {
    IndexedLinear first = start.linear();
    int out = first.out();
    int in = first.in();
    ColumnOrder order = ColumnOrder.descending(importance);
    QuantizedLinear taken =
        new QuantizedLinear(out, in, scheme, order.take(first.codes(), out), first.steps());
    Gptq.Result found =
        descent.improve(
            new Gptq.Result(taken, order.take(start.compensated(), out)),
            order.take(target, out),
            order.takeBoth(h),
            workers);
    float[] compensated = new float[out * in];
    order.putBack(found.compensated(), compensated, out);
    byte[] codes = order.putBack(found.linear().codes(), out);
    IndexedLinear linear =
        new IndexedLinear(out, in, scheme, codes, found.linear().steps(), first.groupIndex());
    return new GroupResult(linear, compensated);
  }

  private Steps steps(float[] w, int out, int in, float[] importance, Workers workers) {
    Grid grid = Grid.of(scheme);
    Steps steps = new Steps(out, scheme.groups(in));
    int length = in / steps.groups();
    RowTiles.forEach(
        out,
        workers,
        row -> {
          for (int g = 0; g < steps.groups(); g++) {
            int from = row * in + g * length;
            int place = row * steps.groups() + g;
            rule.choose(w, from, from + length, importance, g * length, grid, format, steps, place);
          }
        });
    return steps;
  }
}
