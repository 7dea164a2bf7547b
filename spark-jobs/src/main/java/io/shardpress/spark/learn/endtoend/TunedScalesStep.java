package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.learn.LogScales;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.learn.scales.RescaleStep;
import io.shardpress.spark.store.PartKey;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The scales of a block's linears as a state has them, as {@link RescaleStep} reads them.
 *
 * @param state of the block
 * @param linears in the order in which they are written
 * @param format of the scales
 */
record TunedScalesStep(PartKey state, Map<LinearRole, LearnedLinear> linears, ScaleFormat format)
    implements Step {
  private static final StepKind KIND = new StepKind("tune.scales", 1);

  TunedScalesStep {
    linears = Collections.unmodifiableMap(new LinkedHashMap<>(linears));
  }

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public void run(TaskEnvironment environment) {
    TuneState tuned = TuneState.read(environment.store(), state, false);
    float[][] scales =
        linears.keySet().stream()
            .map(role -> LogScales.stored(tuned.value(TuneState.name(role)), format))
            .toArray(float[][]::new);
    RescaleStep.writeScales(environment.store(), part(), linears, scales);
  }
}
