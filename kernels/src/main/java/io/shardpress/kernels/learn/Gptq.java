package io.shardpress.kernels.learn;

import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.matmul.Matmul.Op;
import io.shardpress.kernels.parallel.RowTiles;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * GPTQ (arXiv 2210.17323): columns are rounded in order, and the error of each is compensated in
 * the columns not yet rounded: e = (w_i − q_i)/U_ii, W[:, i+1:] −= e·U[i, i+1:], where U is the
 * upper Cholesky factor of H⁻¹. Columns go in blocks of at most 128, whose errors reach the columns
 * behind in one product; those beyond the next few blocks in one for all of these. Rows do not
 * depend on one another: a tile of them lies transposed, so that a vector holds the same column of
 * many rows.
 */
public final class Gptq {
  /** Columns whose errors are gathered before one product carries them on, unless told. */
  public static final int BLOCK = 128;

  private static final int ROW_TILE = GptqTile.ROWS;

  // Blocks after which all columns behind are brought up to date: each time costs going over them.
  private static final int SPAN_BLOCKS = 4;

  private final WeightScheme scheme;
  private final ScaleFormat format;
  private final StepRule rule;
  private final int blockSize;
  private final Matmul matmul;
  private final ConcurrentLinkedQueue<GptqTile> idleTiles = new ConcurrentLinkedQueue<>();

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
    int tiles = (out + ROW_TILE - 1) / ROW_TILE;
    int spanBlocks = steps.groups() == 1 || in / steps.groups() <= blockSize ? SPAN_BLOCKS : 1;
    float[] errors = new float[spanBlocks * blockSize * tiles * ROW_TILE];
    if (steps.groups() == 1) {
      Grid grid = Grid.of(scheme);
      RowTiles.forEach(
          out,
          workers,
          row -> rule.choose(w, row * in, (row + 1) * in, importance, 0, grid, format, steps, row));
    }
    int length = in / steps.groups();
    int spanEnd;
    for (int spanBegin = 0; spanBegin < in; spanBegin = spanEnd) {
      spanEnd = spanBegin;
      for (int b = 0; b < spanBlocks && spanEnd < in; b++) {
        spanEnd = blockEnd(spanEnd, in, length);
      }
      int stop;
      for (int begin = spanBegin; begin < spanEnd; begin = stop) {
        stop = blockEnd(begin, in, length);
        Columns columns = new Columns(begin, stop, in, spanBegin, tiles * ROW_TILE);
        workers.forEach(
            tiles,
            tile -> {
              int first = tile * ROW_TILE;
              int end = Math.min(out, first + ROW_TILE);
              round(columns, first, end, w, inverseUpper, importance, steps, codes, errors);
            });
        carry(columns, spanEnd, out, errors, inverseUpper, w, workers);
      }
      Columns span = new Columns(spanBegin, spanEnd, in, spanBegin, tiles * ROW_TILE);
      carry(span, in, out, errors, inverseUpper, w, workers);
    }
    return new Result(new QuantizedLinear(out, in, scheme, codes, steps), w);
  }

  /**
   * Columns [begin, stop) of a weight with {@code in} of them.
   *
   * @param errorsBegin the column whose errors are kept first
   * @param stride rows of the errors, which are kept column after column
   */
  private record Columns(int begin, int stop, int in, int errorsBegin, int stride) {
    int errorsAt(int column) {
      return (column - errorsBegin) * stride;
    }
  }

  /** Makes up for the columns' errors in those behind them, up to {@code end}. */
  private void carry(
      Columns columns,
      int end,
      int out,
      float[] errors,
      float[] upper,
      float[] w,
      Workers workers) {
    int in = columns.in;
    int stop = columns.stop;
    if (stop < end) {
      matmul.multiply(
          Op.TRANSPOSED,
          Op.AS_IS,
          out,
          end - stop,
          stop - columns.begin,
          -1,
          errors,
          columns.errorsAt(columns.begin),
          columns.stride,
          upper,
          columns.begin * in + stop,
          in,
          1,
          w,
          stop,
          in,
          workers);
    }
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
          String.format(
              Locale.ROOT,
              "%s: %d×%d need %d elements, the array has %d",
              what,
              rows,
              columns,
              (long) rows * columns,
              array.length));
    }
  }

  private void round(
      Columns columns,
      int first,
      int end,
      float[] w,
      float[] upper,
      float[] importance,
      Steps steps,
      byte[] codes,
      float[] errors) {
    Grid grid = Grid.of(scheme);
    int in = columns.in;
    int length = in / steps.groups();
    GptqTile tile = idleTiles.poll();
    if (tile == null) {
      tile = new GptqTile(blockSize);
    }
    tile.load(w, in, first, end, columns.begin, columns.stop);
    int next;
    for (int column = columns.begin; column < columns.stop; column = next) {
      int group = column / length;
      next = Math.min(columns.stop, (group + 1) * length);
      if (steps.groups() > 1 && column % length == 0) {
        // The rule reads rows as they lie.
        tile.store(w, in, first, end, column, next);
        for (int row = first; row < end; row++) {
          int at = row * in + column;
          int place = row * steps.groups() + group;
          rule.choose(w, at, at + length, importance, column, grid, format, steps, place);
        }
      }
      tile.steps(steps, first, end, group);
      for (int i = column; i < next; i++) {
        int error = columns.errorsAt(i) + first;
        tile.round(i, columns.stop, upper, in, grid.largest(), errors, error);
      }
    }
    tile.store(w, in, first, end, columns.begin, columns.stop);
    tile.codes(codes, in, first, end, columns.begin, columns.stop);
    idleTiles.add(tile);
  }
}
