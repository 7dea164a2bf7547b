package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.Fp4Rounding;
import io.shardpress.kernels.quant.Fp8Rounding;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import io.shardpress.spark.store.PartWriter;
import java.util.Arrays;
import java.util.List;

/**
 * Rounds a tile of a tensor to FP8 or FP4.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param summaries of all that shares one scale, the parts of {@link SummaryStep}; empty where
 *     scales are of rows, blocks or groups alone
 */
public record FloatStep(
    String arithmetic,
    List<PartKey> summaries,
    String module,
    TensorRef tensor,
    RowTile tile,
    WeightScheme scheme,
    ScaleFormat format)
    implements Step {
  private static final StepKind KIND = new StepKind("round.float", 1);

  public FloatStep {
    summaries = List.copyOf(summaries);
  }

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
    int in = Math.toIntExact(tensor.columns());
    int out = Math.toIntExact(tensor.rows());
    // Blocks of rows may begin before the tile and end behind it.
    boolean blocks = scheme.form() == WeightForm.FP8_BLOCK;
    int first = blocks ? tile.start() / WeightForm.BLOCK * WeightForm.BLOCK : tile.start();
    int end = tile.start() + tile.count();
    int last =
        blocks
            ? Math.min(out, (end + WeightForm.BLOCK - 1) / WeightForm.BLOCK * WeightForm.BLOCK)
            : end;
    float[] read = environment.reader().readFloats(tensor, first, last - first);
    int before = tile.start() - first;
    float[] w = Arrays.copyOfRange(read, before * in, (before + tile.count()) * in);
    float absMax = absMax(environment.store());
    float globalScale =
        scheme.form() == WeightForm.NVFP4 ? Fp4Rounding.globalScale(absMax) : Float.NaN;
    Steps steps =
        switch (scheme.form()) {
          case FP8_TENSOR -> Fp8Rounding.all(absMax, tile.count(), format);
          case FP8_CHANNEL -> Fp8Rounding.perRow(w, tile.count(), in, format);
          case FP8_BLOCK ->
              Fp8Rounding.inBlocks(read, last - first, in, before, tile.count(), format);
          case MXFP4 -> Fp4Rounding.powersOfTwo(w, tile.count(), in, scheme);
          case NVFP4 -> Fp4Rounding.inGroups(w, tile.count(), in, scheme, globalScale);
          case INT -> throw new IllegalStateException(module + " is to be integers");
        };
    QuantizedLinear rounded =
        scheme.form().fp4()
            ? Fp4Rounding.round(w, tile.count(), in, scheme, steps)
            : Fp8Rounding.round(w, tile.count(), in, scheme, steps);
    try (PartWriter writer = environment.store().write(part())) {
      TileCodec.write(writer, module, out, tile.start(), rounded, w, null);
      if (scheme.form() == WeightForm.NVFP4) {
        TileCodec.writeGlobalScale(writer, module, globalScale);
      }
      writer.commit();
    }
  }

  /** The greatest magnitude of all that shares one scale; 0 where there are no summaries. */
  private float absMax(PartStore store) {
    float most = 0;
    for (ValueSummary summary : SummaryStep.read(store, summaries)) {
      most = Math.max(most, Math.max(-summary.min(), summary.max()));
    }
    return most;
  }
}
