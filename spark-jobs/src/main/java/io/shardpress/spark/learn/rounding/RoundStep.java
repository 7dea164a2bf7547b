package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.Bf16ToInt4;
import io.shardpress.kernels.quant.Grid;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.block.WeightError;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartWriter;
import java.util.Arrays;

/** Rounds a tile of a tensor to nearest: needs nothing but the tile. */
public record RoundStep(
    String arithmetic,
    String module,
    TensorRef tensor,
    RowTile tile,
    WeightScheme scheme,
    ScaleFormat format,
    StepRules steps)
    implements Step {
  private static final StepKind KIND = new StepKind("round", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.rows(tensor, tile.start(), tile.count());
  }

  @Override
  public void run(TaskEnvironment environment) {
    if (!inOnePass(environment)) {
      inSteps(environment);
    }
  }

  /**
   * From bf16 straight to packed codes, where there is a loop for it and all weights are finite.
   */
  private boolean inOnePass(TaskEnvironment environment) {
    int in = Math.toIntExact(tensor.columns());
    int groups = scheme.groups(in);
    boolean known =
        tensor.stored() == null
            && tensor.dtype() == Dtype.BF16
            && scheme.bits() == 4
            && scheme.symmetric();
    if (!known || steps != StepRules.MIN_MAX || !Bf16ToInt4.takes(in / groups)) {
      return false;
    }
    Bf16ToInt4 rounding = new Bf16ToInt4(in / groups, format);
    int[] packed = new int[tile.count() * in / 8];
    Steps chosen = new Steps(tile.count(), groups);
    Arrays.fill(chosen.zeros(), Grid.of(scheme).middle());
    if (!quantize(environment.reader(), rounding, packed, chosen.scales())) {
      return false;
    }
    WeightError error = new WeightError(rounding.squaredError(), rounding.squaredWeights());
    try (PartWriter writer = environment.store().write(part())) {
      int out = Math.toIntExact(tensor.rows());
      TileCodec.writePacked(writer, module, out, tile.start(), packed, chosen, error);
      writer.commit();
    }
    return true;
  }

  /** Piece by piece, so that the bytes are still in a cache when they are quantized. */
  private boolean quantize(TensorReader reader, Bf16ToInt4 rounding, int[] packed, float[] scales) {
    int groupBytes = 2 * rounding.length();
    // Sums of errors are the same for any pieces that are whole chunks.
    int perPiece = Math.max(1, reader.chunkBytes(tensor) / groupBytes / rounding.chunkGroups());
    perPiece *= rounding.chunkGroups();
    byte[] piece = new byte[Math.min(perPiece, scales.length) * groupBytes];
    long position = tensor.bytesOfRows(tile.start());
    for (int first = 0; first < scales.length; first += perPiece) {
      int count = Math.min(perPiece, scales.length - first);
      long at = position + (long) first * groupBytes;
      reader.readBytes(tensor, at, piece, 0, count * groupBytes);
      int word = first * (rounding.length() / 8);
      if (!rounding.quantize(piece, 0, count, packed, word, scales, first)) {
        return false;
      }
    }
    return true;
  }

  private void inSteps(TaskEnvironment environment) {
    int in = Math.toIntExact(tensor.columns());
    float[] w = environment.reader().readFloats(tensor, tile.start(), tile.count());
    QuantizedLinear rounded =
        RoundToNearest.quantize(w, tile.count(), in, scheme, format, steps.rule());
    try (PartWriter writer = environment.store().write(part())) {
      TileCodec.write(
          writer, module, Math.toIntExact(tensor.rows()), tile.start(), rounded, w, null);
      writer.commit();
    }
  }
}
