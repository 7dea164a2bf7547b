package io.shardpress.spark.unit;

import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/** Rounds a tile of a tensor to nearest: needs nothing but the tile. */
public record RoundUnit(
    PartKey part,
    String module,
    TensorRef tensor,
    RowTile tile,
    WeightScheme scheme,
    ScaleFormat format,
    boolean stepSearch)
    implements UnitOfWork {
  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  @Override
  public void run(TaskEnvironment environment) {
    int in = Math.toIntExact(tensor.columns());
    float[] w = environment.reader().readFloats(tensor, tile.start(), tile.count());
    StepRule rule = StepRules.of(stepSearch);
    QuantizedLinear rounded = RoundToNearest.quantize(w, tile.count(), in, scheme, format, rule);
    try (PartWriter writer = environment.store().write(part)) {
      LearnedLinear.write(
          writer, module, Math.toIntExact(tensor.rows()), tile.start(), rounded, w, null);
      writer.commit();
    }
  }
}
