package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;

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
  private static final StepKind KIND = new StepKind("round", 2);

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
    RowRounding rounding = new RowRounding(tensor, scheme, format, steps, 0);
    new RoundedTile(module, rounding, tile).write(environment, part());
  }
}
