package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.pack.BitPacking;
import io.shardpress.kernels.quant.Fp4Rounding;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.block.WeightError;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A tile of a linear that is rounded to nearest into a part. */
record RoundedTile(String module, RowRounding rounding, RowTile tile) {
  void write(TaskEnvironment environment, PartKey part) {
    int words = BitPacking.words(rounding.in(), rounding.scheme().bits());
    int[] packed = new int[tile.count() * words];
    Steps steps = new Steps(tile.count(), rounding.groups());
    int[] row = new int[1];
    WeightError error;
    try {
      error =
          rounding.round(
              environment,
              tile,
              null,
              (codes, some) -> {
                System.arraycopy(codes, 0, packed, row[0] * words, codes.length);
                int at = row[0] * steps.groups();
                System.arraycopy(some.scales(), 0, steps.scales(), at, some.scales().length);
                System.arraycopy(some.zeros(), 0, steps.zeros(), at, some.zeros().length);
                row[0] += some.out();
              });
    } catch (IOException e) {
      throw new UncheckedIOException("arrays are filled without a file", e);
    }
    try (PartWriter writer = environment.store().write(part)) {
      int out = Math.toIntExact(rounding.tensor().rows());
      TileCodec.writePacked(writer, module, out, tile.start(), packed, steps, error);
      if (rounding.scheme().form() == WeightForm.NVFP4) {
        TileCodec.writeGlobalScale(writer, module, Fp4Rounding.globalScale(rounding.absMax()));
      }
      writer.commit();
    }
  }
}
