package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.Bf16ToInt4;
import io.shardpress.kernels.quant.Fp4Rounding;
import io.shardpress.kernels.quant.Fp8Rounding;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.WeightError;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.FiniteBytes;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.io.IOException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;

/**
 * How the rows of a weight are rounded to nearest.
 *
 * @param rule of integers' steps
 * @param absMax the greatest magnitude of all weights that share one scale; 0 where scales are of
 *     rows, blocks or groups alone
 */
public record RowRounding(
    TensorRef tensor, WeightScheme scheme, ScaleFormat format, StepRules rule, float absMax)
    implements Serializable {
  // Elements that are rounded at a time, by a thread.
  private static final int PIECE = 1 << 18;

  /** Whether rows, or blocks of them, are all that a scale depends on. */
  public static boolean takes(WeightScheme scheme) {
    return !scheme.outliers()
        && !scheme.indexed()
        && scheme.form() != WeightForm.INT_TENSOR
        && scheme.form() != WeightForm.FP8_TENSOR
        && scheme.form() != WeightForm.NVFP4;
  }

  /** Takes rounded rows, in their order; the arrays are its own only as long as the call. */
  @FunctionalInterface
  interface Rounded {
    void accept(int[] packed, Steps steps) throws IOException;
  }

  int in() {
    return Math.toIntExact(tensor.columns());
  }

  int groups() {
    return scheme.groups(in());
  }

  /**
   * Rounds the rows of a tile. The same numbers come of them whether steps are given or not, and
   * for any number of threads.
   *
   * @param given the steps of these rows as {@link #steps} gave them; null: to be chosen
   * @throws io.shardpress.schemas.CheckpointException where a weight in the file is not finite
   * @throws IOException what {@code rounded} throws
   */
  WeightError round(TaskEnvironment environment, RowTile tile, Steps given, Rounded rounded)
      throws IOException {
    if (fused()) {
      return fused(environment.reader(), tile, rounded);
    }
    TileWeights weights = TileWeights.read(environment.reader(), this, tile);
    int rows = Math.max(1, PIECE / in());
    int pieces = (tile.count() + rows - 1) / rows;
    int[] packed = new int[tile.count() * BitPacking.words(in(), scheme.bits())];
    Steps steps = new Steps(tile.count(), groups());
    Steps shared = given != null ? given : weights.shared(this);
    WeightError[] errors = new WeightError[pieces];
    environment
        .workers()
        .forEach(
            pieces,
            piece -> {
              int first = piece * rows;
              int count = Math.min(rows, tile.count() - first);
              errors[piece] = piece(weights, first, count, shared, packed, steps);
            });
    rounded.accept(packed, steps);
    return sum(Arrays.asList(errors));
  }

  private WeightError piece(
      TileWeights weights, int first, int count, Steps shared, int[] packed, Steps steps) {
    float[] w = weights.rows(first, count);
    Steps chosen = shared != null ? slice(shared, first, count) : choose(w, count);
    requireRange(chosen, w);
    QuantizedLinear linear =
        switch (scheme.form()) {
          case INT, INT_TENSOR -> QuantizedLinear.round(w, count, in(), scheme, chosen);
          case MXFP4, NVFP4 -> Fp4Rounding.round(w, count, in(), scheme, chosen);
          case FP8_TENSOR, FP8_CHANNEL, FP8_BLOCK ->
              Fp8Rounding.round(w, count, in(), scheme, chosen);
        };
    int words = BitPacking.words(in(), scheme.bits());
    BitPacking.packRows(linear.codes(), 0, count, in(), scheme.bits(), packed, first * words);
    put(chosen, steps, first);
    return WeightError.of(linear.dequantize(), w);
  }

  /** The steps of rows that need no others for them. */
  private Steps choose(float[] w, int rows) {
    return switch (scheme.form()) {
      case INT -> RoundToNearest.steps(w, rows, in(), scheme, format, rule.rule(), null);
      case INT_TENSOR -> same(rows);
      case FP8_TENSOR -> Fp8Rounding.all(absMax, rows, format);
      case FP8_CHANNEL -> Fp8Rounding.perRow(w, rows, in(), format);
      case MXFP4 -> Fp4Rounding.powersOfTwo(w, rows, in(), scheme);
      case NVFP4 -> Fp4Rounding.inGroups(w, rows, in(), scheme, Fp4Rounding.globalScale(absMax));
      case FP8_BLOCK -> throw new IllegalStateException("blocks have rows beyond these");
    };
  }

  /** The step of a row that has the greatest magnitude of all, for every row. */
  private Steps same(int rows) {
    WeightScheme row = new WeightScheme(scheme.bits(), true, 0);
    Steps one = RoundToNearest.steps(new float[] {absMax}, 1, 1, row, format, rule.rule(), null);
    Steps steps = new Steps(rows, 1);
    Arrays.fill(steps.scales(), one.scales()[0]);
    Arrays.fill(steps.zeros(), one.zeros()[0]);
    return steps;
  }

  /**
   * The steps of a tile's rows alone.
   *
   * @throws io.shardpress.schemas.CheckpointException where a weight in the file is not finite
   */
  Steps steps(TaskEnvironment environment, RowTile tile) {
    TileWeights weights = TileWeights.read(environment.reader(), this, tile);
    Steps shared = weights.shared(this);
    if (shared != null) {
      return shared;
    }
    Steps steps = new Steps(tile.count(), groups());
    int rows = Math.max(1, PIECE / in());
    environment
        .workers()
        .forEach(
            (tile.count() + rows - 1) / rows,
            piece -> {
              int first = piece * rows;
              int count = Math.min(rows, tile.count() - first);
              put(choose(weights.rows(first, count), count), steps, first);
            });
    return steps;
  }

  private static Steps slice(Steps steps, int first, int rows) {
    int from = first * steps.groups();
    int to = from + rows * steps.groups();
    return new Steps(
        rows,
        steps.groups(),
        Arrays.copyOfRange(steps.scales(), from, to),
        Arrays.copyOfRange(steps.zeros(), from, to));
  }

  private static void put(Steps some, Steps all, int first) {
    int at = first * all.groups();
    System.arraycopy(some.scales(), 0, all.scales(), at, some.scales().length);
    System.arraycopy(some.zeros(), 0, all.zeros(), at, some.zeros().length);
  }

  /** The error of several pieces, added in their order. */
  static WeightError sum(List<WeightError> errors) {
    WeightError sum = WeightError.NONE;
    for (WeightError one : errors) {
      sum = sum.plus(one);
    }
    return sum;
  }

  /** Whether there is a loop from the file's bytes straight to packed codes. */
  private boolean fused() {
    return tensor.stored() == null
        && tensor.dtype() == Dtype.BF16
        && scheme.form() == WeightForm.INT
        && scheme.bits() == 4
        && scheme.symmetric()
        && rule == StepRules.MIN_MAX
        && Bf16ToInt4.takes(in() / groups());
  }

  /** Piece by piece, so that the bytes are still in a cache when they are rounded. */
  private WeightError fused(TensorReader reader, RowTile tile, Rounded rounded) throws IOException {
    int groups = groups();
    Bf16ToInt4 rounding = new Bf16ToInt4(in() / groups, format);
    int rowBytes = 2 * in();
    // Sums of errors are the same for any pieces that are whole chunks.
    int whole = rounding.chunkGroups() / gcd(groups, rounding.chunkGroups());
    int most = Math.max(1, reader.chunkBytes(tensor) / rowBytes / whole) * whole;
    int rows = Math.min(most, tile.count());
    byte[] bytes = new byte[rows * rowBytes];
    int[] packed = new int[rows * in() / 8];
    Steps steps = middle(rows);
    for (int first = 0; first < tile.count(); first += rows) {
      int count = Math.min(rows, tile.count() - first);
      if (count < steps.out()) {
        packed = new int[count * in() / 8];
        steps = middle(count);
      }
      long begin = tensor.bytesOfRows((long) tile.start() + first);
      reader.readBytes(tensor, begin, bytes, 0, count * rowBytes);
      if (!rounding.quantize(bytes, 0, count * groups, packed, 0, steps.scales(), 0)) {
        FiniteBytes.require(tensor, begin, bytes, count * rowBytes);
        throw new IllegalStateException(tensor.tensor() + ": found a group that is not finite");
      }
      if (ScaleRange.reached(format, steps)) {
        requireRange(steps, reader.readFloats(tensor, (long) tile.start() + first, count));
      }
      rounded.accept(packed, steps);
    }
    return new WeightError(rounding.squaredError(), rounding.squaredWeights());
  }

  /** Looks at the groups of rows whose scales are the largest that there are. */
  private void requireRange(Steps steps, float[] w) {
    if (scheme.form() != WeightForm.INT || !ScaleRange.reached(format, steps)) {
      return;
    }
    int length = in() / steps.groups();
    for (int group = 0; group < steps.scales().length; group++) {
      ScaleRange.check(tensor, scheme, format, w, group * length, (group + 1) * length);
    }
  }

  private Steps middle(int rows) {
    Steps steps = new Steps(rows, groups());
    Arrays.fill(steps.zeros(), Grid.of(scheme).middle());
    return steps;
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
