package io.shardpress.spark.learn.rounding;

import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the weights of a linear for nothing but a check that its scales can be stored: before
 * anything is learned from them.
 */
public record RangeCheck(TensorRef tensor, WeightScheme scheme, ScaleFormat format)
    implements ClusterTask<Boolean> {
  private static final int PIECE = 1 << 20;

  /** Checks for all linears whose dtype reaches beyond the scales' format; none where none does. */
  public static List<RangeCheck> of(CompressionPlan plan) {
    List<RangeCheck> checks = new ArrayList<>();
    for (PlanEntry entry : plan.quantized().values()) {
      if (ScaleRange.narrow(plan.scaleFormat()) && entry.source().dtype() != Dtype.F16) {
        checks.add(
            new RangeCheck(entry.source(), entry.choice().group().weights(), plan.scaleFormat()));
      }
    }
    return checks;
  }

  @Override
  public Boolean run(TaskEnvironment environment) {
    int columns = Math.toIntExact(tensor.columns());
    int rows = Math.max(1, PIECE / columns);
    for (long row = 0; row < tensor.rows(); row += rows) {
      int count = (int) Math.min(rows, tensor.rows() - row);
      float[] w = environment.reader().readFloats(tensor, row, count);
      ScaleRange.check(tensor, scheme, format, w, 0, w.length);
    }
    return true;
  }
}
