package io.shardpress.spark.unit;

import io.shardpress.kernels.learn.CoordinateDescent;
import io.shardpress.kernels.learn.Gptq;
import io.shardpress.kernels.learn.LayerLrq;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.List;

/**
 * Solves a tile of a linear's rows by GPTQ and coordinate descent, from its stage's factors.
 *
 * @param factors what made the part with the stage's factors
 * @param alpha how much of the targets' correction is applied
 * @param rounds of coordinate descent from the result of these
 * @param sweeps over all integers in each of them
 * @param keepCompensated whether a block-wise learner will start from the result
 * @param layer LRQ by the linear's own error on top; null: GPTQ alone
 * @param block number of the block, and the linear's role, for random numbers
 */
public record SolveUnit(
    PartKey part,
    FactorUnit factors,
    String module,
    TensorRef tensor,
    RowTile tile,
    WeightScheme scheme,
    ScaleFormat format,
    boolean stepSearch,
    int blockSize,
    double alpha,
    int rounds,
    int sweeps,
    boolean keepCompensated,
    LayerCourse layer,
    int block,
    String role)
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
    StageFactors stage = factors.read(environment.store());
    float[] target =
        stage.corrected(
            w, tile.start(), tile.count(), alpha, environment.matmul(), environment.workers());
    // GPTQ overwrites the targets that it is given.
    Gptq.Result result =
        new Gptq(scheme, format, StepRules.of(stepSearch), blockSize, environment.matmul())
            .quantize(
                target.clone(),
                tile.count(),
                in,
                stage.inverseUpper(),
                stage.importance(),
                environment.workers());
    if (layer != null) {
      QuantizedLinear learned = learn(target, result, in, stage, environment);
      result = new Gptq.Result(learned, learned.dequantize());
    }
    if (rounds > 0) {
      float[] moments = factors.readMoments(environment.store());
      stage.damp(moments);
      result =
          new CoordinateDescent(format, rounds, sweeps, environment.matmul())
              .improve(result, target, moments, environment.workers());
    }
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

  /** LRQ by the linear's own error, on the targets that GPTQ had. */
  private QuantizedLinear learn(
      float[] target, Gptq.Result start, int in, StageFactors stage, TaskEnvironment environment) {
    Steps steps =
        layer.fromGptq()
            ? start.linear().steps()
            : RoundToNearest.steps(
                target, tile.count(), in, scheme, format, StepRules.of(stepSearch), null);
    int rank = layer.lrq().rank(tile.count(), in);
    return new LayerLrq(scheme, format, rank, layer.rate(), environment.matmul())
        .quantize(
            target,
            tile.count(),
            in,
            factors.readMoments(environment.store()),
            stage.inverseUpper(),
            steps,
            new SeededRandom(layer.seed(), block, role + " " + tile.start()),
            environment.workers())
        .linear();
  }
}
