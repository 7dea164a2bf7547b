package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.IndexedLinear;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import java.util.ArrayList;
import java.util.List;

/**
 * Lowers tr(A·E·H·Eᵀ), E = s∘(c − z) − T, over the integers c and the scales s of rows that see one
 * another: A [rows×rows] says how the end loss couples them, see {@link RowFactors}, H [in×in] is
 * the second moments of their inputs. With A = I that is what {@link CoordinateDescent} lowers.
 *
 * <p>In turns, (1) the scales, group after group and twice, rows in order: with v = c − z in the
 * group's columns g, h = v·H[g,:] and M = E·H, s ← s − Σ_u A_iu·(v·M_u) / (A_ii·(v·h)), rounded to
 * the stored dtype, where that lowers the objective and is within (½s, 2s); (2) sweeps over the
 * integers, until none moves: c_ij ← the code nearest to c_ij − r_ij/(A_ii·H_jj·s_i), r = A·E·H.
 * Every such move lowers the objective for all the others as they are, so it ends. Zeros stay.
 *
 * <p>A sweep takes blocks of {@link CoupledTile#COLUMNS} columns in order, in a block tiles of
 * {@link CoupledTile#ROWS} rows in order, in a tile column after column, and of a column row after
 * row. So everything that crosses a tile is a product, 2·rows·in·(rows + in) flops a sweep. The
 * order follows from the shapes alone.
 */
public final class CoupledDescent {
  /** Rounds of scales and then integers, unless told. */
  public static final int ROUNDS = 2;

  /** Sweeps over all integers in a round, at most, unless told. */
  public static final int SWEEPS = 3;

  private final ScaleFormat format;
  private final int rounds;
  private final int sweeps;
  private final Matmul matmul;

  public CoupledDescent(ScaleFormat format, Matmul matmul) {
    this(format, ROUNDS, SWEEPS, matmul);
  }

  /**
   * @param format of the scales
   * @param rounds turns of scales and then integers
   * @param sweeps over all integers in a round, at most; 6 lower the objective 6 to 8 % more than 3
   */
  public CoupledDescent(ScaleFormat format, int rounds, int sweeps, Matmul matmul) {
    this.format = format;
    this.rounds = rounds;
    this.sweeps = sweeps;
    this.matmul = matmul;
  }

  /**
   * What descent has come to.
   *
   * @param linears in the order of the starts. Their {@code compensated} weights are s·a with a = c
   *     − z − clamp(M/(H_jj·s), ±0.45): the latents that learning integers by the end loss starts
   *     from, times the scales; they round to the codes
   * @param before tr(A·E·H·Eᵀ) of the starts
   * @param after that of the linears, never above {@code before}
   */
  public record Result(List<Gptq.Result> linears, double before, double after) {}

  /**
   * The linears of a stage, or the rows of a tile, with tr(A·E·H·Eᵀ) no higher than at the start;
   * as in {@code starts} where it cannot be lowered, or is not finite.
   *
   * @param starts integers with any bits, groups and zeros, all with the same inputs; not changed.
   *     Columns may be in any order, if that is everywhere the same
   * @param targets T [out×in] of each
   * @param a A [R×R] over the rows of all, in the order of the starts, symmetric, as {@link
   *     RowFactors} gives it
   * @param h H [in×in], symmetric, damped as {@link StageFactors#damp} does it
   * @throws IllegalArgumentException where sizes do not fit, or a scheme has no integers
   */
  public Result improve(
      List<QuantizedLinear> starts, List<float[]> targets, float[] a, float[] h, Workers workers) {
    CoupledProblem problem =
        new CoupledProblem(new CoupledRows(starts, targets), a, h, format, matmul, workers);
    double before = problem.restart();
    for (int round = 0; round < rounds; round++) {
      problem.refitScales();
      for (int sweep = 0; sweep < sweeps && problem.sweep(); sweep++) {}
    }
    double after = problem.restart();
    // The other way round, NaN would be kept.
    if (!(after < before)) {
      problem = new CoupledProblem(new CoupledRows(starts, targets), a, h, format, matmul, workers);
      problem.restart();
      after = before;
    }
    return new Result(problem.results(), before, after);
  }

  /**
   * What descent has come to where groups are runs of columns in the order of falling importance.
   *
   * @param linears as for {@link Result}, columns where the weights have them
   * @param before as there, and so is {@code after}
   */
  public record GroupResult(List<OrderedGptq.GroupResult> linears, double before, double after) {}

  /**
   * As {@link #improve} from results of {@link OrderedGptq#quantizeByGroup}, in their order.
   *
   * @param targets T [out×in] of each, columns where the weights have them
   * @param h H [in×in], likewise
   * @param importance [in] diag(H) over its mean, as the stage's factors have it
   */
  public GroupResult improveByGroup(
      List<OrderedGptq.GroupResult> starts,
      List<float[]> targets,
      float[] a,
      float[] h,
      float[] importance,
      Workers workers) {
    ColumnOrder order = ColumnOrder.descending(importance);
    List<QuantizedLinear> taken = new ArrayList<>();
    List<float[]> takenTargets = new ArrayList<>();
    for (int l = 0; l < starts.size(); l++) {
      IndexedLinear linear = starts.get(l).linear();
      byte[] codes = order.take(linear.codes(), linear.out());
      taken.add(
          new QuantizedLinear(linear.out(), linear.in(), linear.scheme(), codes, linear.steps()));
      takenTargets.add(order.take(targets.get(l), linear.out()));
    }
    Result found = improve(taken, takenTargets, a, order.takeBoth(h), workers);
    List<OrderedGptq.GroupResult> results = new ArrayList<>();
    for (int l = 0; l < starts.size(); l++) {
      IndexedLinear first = starts.get(l).linear();
      Gptq.Result its = found.linears.get(l);
      float[] compensated = new float[first.out() * first.in()];
      order.putBack(its.compensated(), compensated, first.out());
      byte[] codes = order.putBack(its.linear().codes(), first.out());
      results.add(
          new OrderedGptq.GroupResult(
              new IndexedLinear(
                  first.out(),
                  first.in(),
                  first.scheme(),
                  codes,
                  its.linear().steps(),
                  first.groupIndex()),
              compensated));
    }
    return new GroupResult(results, found.before, found.after);
  }

  /**
   * Bytes that {@link #improve} holds beside its arguments, for rows of {@code in} inputs in groups
   * of {@code length}.
   */
  public static long bytes(long rows, long in, long length) {
    long codes = rows * in;
    long f32 = 4 * rows * in + rows * length + rows * CoupledTile.ROWS;
    long block = (CoupledTile.ROWS + (long) CoupledTile.COLUMNS) * Math.max(in, rows);
    return codes + Float.BYTES * (f32 + block);
  }
}
