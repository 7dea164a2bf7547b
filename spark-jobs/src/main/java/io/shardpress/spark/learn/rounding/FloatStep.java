package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.statistics.ValueSummary;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartStore;
import java.util.List;

/**
 * Rounds a tile of a tensor to FP8 or FP4, or to integers with one step for all of it.
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
  private static final StepKind KIND = new StepKind("round.float", 2);

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
    float most = absMax(environment.store());
    RowRounding rounding = new RowRounding(tensor, scheme, format, StepRules.MIN_MAX, most);
    new RoundedTile(module, rounding, tile).write(environment, part());
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
