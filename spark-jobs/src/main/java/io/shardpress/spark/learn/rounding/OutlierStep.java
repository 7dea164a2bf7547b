package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.EasyQuant;
import io.shardpress.kernels.quant.OutlierRule;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Quantizes a tile of a tensor by EasyQuant, and keeps its outliers.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param summaries of all tiles of the tensor, in their order: the parts of {@link SummaryStep}
 */
public record OutlierStep(
    String arithmetic,
    List<PartKey> summaries,
    String module,
    TensorRef tensor,
    RowTile tile,
    WeightScheme scheme,
    ScaleFormat format)
    implements Step {
  private static final StepKind KIND = new StepKind("easyquant.outliers", 1);

  public OutlierStep {
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
    OutlierRule rule =
        OutlierRule.of(SummaryStep.read(environment.store(), summaries), EasyQuant.DEVIATIONS);
    float[] w = environment.reader().readFloats(tensor, tile.start(), tile.count());
    EasyQuant.Result result =
        EasyQuant.quantize(w, tile.count(), in, tile.start(), scheme, format, rule);
    try (PartWriter writer = environment.store().write(part())) {
      TileCodec.write(writer, module, Math.toIntExact(tensor.rows()), tile.start(), result, w);
      writer.commit();
    }
  }
}
