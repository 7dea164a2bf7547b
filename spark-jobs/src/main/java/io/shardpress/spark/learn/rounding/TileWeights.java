package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.Fp8Rounding;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.io.TensorReader;
import java.util.Arrays;

/**
 * The weights of a tile; where scales are of blocks, with the rows of those that begin before it or
 * end behind it.
 *
 * @param w [rows × in]
 * @param before rows of w before the tile's first
 */
record TileWeights(float[] w, int in, int before, int rows) {
  /**
   * @throws io.shardpress.schemas.CheckpointException where a weight in the file is not finite
   */
  static TileWeights read(TensorReader reader, RowRounding rounding, RowTile tile) {
    int block = rounding.scheme().form() == WeightForm.FP8_BLOCK ? WeightForm.BLOCK : 1;
    int first = tile.start() / block * block;
    int end = (tile.start() + tile.count() + block - 1) / block * block;
    int last = (int) Math.min(rounding.tensor().rows(), end);
    float[] w = reader.readFloats(rounding.tensor(), first, last - first);
    if (rounding.tensor().stored() == null) {
      TensorReader.requireFinite(rounding.tensor(), first, w);
    }
    return new TileWeights(w, rounding.in(), tile.start() - first, tile.count());
  }

  /** Some rows, counted from the tile's first. */
  float[] rows(int first, int count) {
    return Arrays.copyOfRange(w, (before + first) * in, (before + first + count) * in);
  }

  /** The steps of all its rows where blocks of rows share them; null where they do not. */
  Steps shared(RowRounding rounding) {
    return rounding.scheme().form() == WeightForm.FP8_BLOCK
        ? Fp8Rounding.inBlocks(w, w.length / in, in, before, rows, rounding.format())
        : null;
  }
}
