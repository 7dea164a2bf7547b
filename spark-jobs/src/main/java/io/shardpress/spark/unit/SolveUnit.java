package io.shardpress.spark.unit;

import io.shardpress.kernels.learn.Gptq;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Solves a tile of a linear's rows by GPTQ, from its stage's factors.
 *
 * @param alpha how much of the targets' correction is applied
 * @param keepCompensated whether a block-wise learner will start from the result
 */
public record SolveUnit(
    PartKey part,
    PartKey factors,
    String module,
    TensorRef tensor,
    RowTile tile,
    WeightScheme scheme,
    ScaleFormat format,
    boolean stepSearch,
    int blockSize,
    boolean corrected,
    double alpha,
    boolean keepCompensated)
    implements UnitOfWork {
  @Override
  public List<PartKey> parts() {
    return List.of(part);
  }

  @Override
  public void run(TaskEnvironment environment) {
    int in = Math.toIntExact(tensor.columns());
    int out = Math.toIntExact(tensor.rows());
    float[] w = environment.reader().readFloats(tensor, tile.start(), tile.count());
    StageFactors stage = FactorUnit.read(environment.store(), factors, in, corrected);
    float[] target =
        stage.corrected(w, tile.count(), alpha, environment.matmul(), environment.workers());
    Gptq.Result result =
        new Gptq(scheme, format, StepRules.of(stepSearch), blockSize, environment.matmul())
            .quantize(
                target,
                tile.count(),
                in,
                stage.inverseUpper(),
                stage.importance(),
                environment.workers());
    try (PartWriter writer = environment.store().write(part)) {
      LearnedLinear.write(
          writer,
          module,
          out,
          tile.start(),
          result.linear(),
          w,
          keepCompensated ? result.compensated() : null);
      writer.commit();
    }
  }
}
