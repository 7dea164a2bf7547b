package io.shardpress.kernels.learn;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;

/**
 * GPTQ (arXiv 2210.17323): columns are rounded in order, and the error of each is compensated in
 * the columns not yet rounded: e = (w_i − q_i)/U_ii, W[:, i+1:] −= e·U[i, i+1:], where U is the
 * upper Cholesky factor of H⁻¹. Columns go in blocks of at most 128, whose errors reach the columns
 * after the block in one product. Rows do not depend on one another, so they are taken in tiles.
 */
public final class Gptq {
  /** Columns whose errors are gathered before one product carries them on, unless told. */
  public static final int BLOCK = 128;

  private static final int ROW_TILE = 64;

  private final WeightScheme scheme;
  private final ScaleFormat format;
  private final StepRule rule;
  private final int blockSize;
  private final Matmul matmul;

  public Gptq(WeightScheme scheme, ScaleFormat format, StepRule rule, Matmul matmul) {
    this(scheme, format, rule, BLOCK, matmul);
  }

  /**
   * @param blockSize columns whose errors are gathered before one product carries them on
   */
  public Gptq(
      WeightScheme scheme, ScaleFormat format, StepRule rule, int blockSize, Matmul matmul) {
    this.blockSize = blockSize;
    this.scheme = scheme;
    this.format = format;
    this.rule = rule;
    this.matmul = matmul;
  }

  /**
   * A linear on its grid, and the weights that were rounded.
   *
   * @param compensated [out×in] each column as it stood, errors of the columns before it made up
   *     for, when it was rounded
   */
  public record Result(QuantizedLinear linear, float[] compensated) {}

  /**
   * Quantizes w [out×in], which is overwritten with the compensated weights.
   *
   * @param inverseUpper U [in×in], upper triangular, H⁻¹ = Uᵀ·U
   * @param importance [in] weights of squared errors for the step rule, usually diag(H)
   * @throws IllegalArgumentException where {@code in} is above {@link StageFactors#MOST_INPUTS}, or
   *     an array is shorter than its shape
   */
  public Result quantize(
      float[] w, int out, int in, float[] inverseUpper, float[] importance, Workers workers) {
    StageFactors.checkInputs(in);
    checkLength("weights", w, out, in);
    checkLength("the inverse's factor", inverseUpper, in, in);
    Steps steps = new Steps(out, scheme.groups(in));
    byte[] codes = new byte[out * in];
    workers.forEach(
        (out + ROW_TILE - 1) / ROW_TILE,
        tile -> {
          int first = tile * ROW_TILE;
          rows(
              w,
              first,
              Math.min(out, first + ROW_TILE),
              in,
              inverseUpper,
              importance,
              steps,
              codes);
        });
    return new Result(new QuantizedLinear(out, in, scheme, codes, steps), w);
  }

  // A block ends where a group does, if one ends in it: a step is chosen from weights that all
  // columns before their group have already changed.
  private int blockEnd(int begin, int in, int groupLength) {
    int end = Math.min(in, begin + blockSize);
    int boundary = end / groupLength * groupLength;
    return boundary > begin ? boundary : end;
  }

  private static void checkLength(String what, float[] array, int rows, int columns) {
    if ((long) rows * columns > array.length) {
      throw new IllegalArgumentException(
          "%s: %d×%d need %d elements, the array has %d"
              .formatted(what, rows, columns, (long) rows * columns, array.length));
    }
  }

  private void rows(
      float[] w,
      int first,
      int end,
      int in,
      float[] upper,
      float[] importance,
      Steps steps,
      byte[] codes) {
    Grid grid = Grid.of(scheme);
    int length = in / steps.groups();
    float[] errors = new float[(end - first) * blockSize];
    if (steps.groups() == 1) {
      for (int row = first; row < end; row++) {
        rule.choose(w, row * in, (row + 1) * in, importance, 0, grid, format, steps, row);
      }
    }
    int stop;
    for (int begin = 0; begin < in; begin = stop) {
      stop = blockEnd(begin, in, length);
      for (int row = first; row < end; row++) {
        int at = row * in;
        int error = (row - first) * blockSize;
        for (int i = begin; i < stop; i++) {
          int group = row * steps.groups() + i / length;
          if (steps.groups() > 1 && i % length == 0) {
            rule.choose(w, at + i, at + i + length, importance, i, grid, format, steps, group);
          }
          float scale = steps.scales()[group];
          int zero = steps.zeros()[group];
          int code = grid.code(w[at + i], scale, zero);
          codes[at + i] = (byte) code;
          float e = (w[at + i] - scale * (code - zero)) / upper[i * in + i];
          errors[error + i - begin] = e;
          Loops.chosen().addScaled(-e, upper, i * in + i + 1, w, at + i + 1, stop - i - 1);
        }
      }
      if (stop < in) {
        matmul.multiply(
            Op.AS_IS,
            Op.AS_IS,
            end - first,
            in - stop,
            stop - begin,
            -1,
            errors,
            0,
            blockSize,
            upper,
            begin * in + stop,
            in,
            1,
            w,
            first * in + stop,
            in,
            Workers.single());
      }
    }
  }
}
