package io.shardpress.spark.learn.gptq;

import io.shardpress.kernels.learn.CoordinateDescent;
import io.shardpress.kernels.learn.Gptq;
import io.shardpress.kernels.learn.LayerLrq;
import io.shardpress.kernels.learn.OrderedGptq;
import io.shardpress.kernels.learn.StageFactors;
import io.shardpress.kernels.matmul.Matmul;
import io.shardpress.kernels.parallel.Workers;
import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.kernels.quant.RoundToNearest;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.kernels.quant.StepRule;
import io.shardpress.kernels.quant.Steps;
import io.shardpress.kernels.random.SeededRandom;
import io.shardpress.schemas.recipe.ActOrder;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.learn.rounding.StepRules;
import io.shardpress.spark.store.PartWriter;
import java.util.function.Consumer;

/**
 * Solves a tile of a linear's rows by GPTQ and coordinate descent, from its stage's factors.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param factors what made the part with the stage's factors
 * @param alpha how much of the targets' correction is applied
 * @param rounds of coordinate descent from the result of these
 * @param sweeps over all integers in each of them
 * @param keepCompensated whether a block-wise learner will start from the result
 * @param layer LRQ by the linear's own error on top; null: GPTQ alone
 * @param block number of the block, and the linear's role, for random numbers
 */
public record SolveStep(
    String arithmetic,
    FactorStep factors,
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
    implements Step {
  private static final StepKind KIND = new StepKind("gptq.solve", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  @Override
  public Reads reads() {
    return Reads.parts(factors.part()).and(Reads.rows(tensor, tile.start(), tile.count()));
  }

  @Override
  public void run(TaskEnvironment environment) {
    int in = Math.toIntExact(tensor.columns());
    int out = Math.toIntExact(tensor.rows());
    float[] w = environment.reader().readFloats(tensor, tile.start(), tile.count());
    FactorStep.Factors read = factors.read(environment.store());
    StageFactors stage = read.stage();
    float[] target =
        stage.corrected(
            w, tile.start(), tile.count(), alpha, environment.matmul(), environment.workers());
    if (scheme.indexed()) {
      OrderedGptq.GroupResult result = byGroup(target, in, stage, environment);
      write(
          environment,
          read,
          writer -> TileCodec.write(writer, module, out, tile.start(), result.linear(), w));
    } else {
      Gptq.Result result = inRuns(target, in, stage, environment);
      float[] compensated = keepCompensated ? result.compensated() : null;
      write(
          environment,
          read,
          writer ->
              TileCodec.write(writer, module, out, tile.start(), result.linear(), w, compensated));
    }
  }

  /** In groups of neighbouring columns, whatever order they are rounded in. */
  private Gptq.Result inRuns(
      float[] target, int in, StageFactors stage, TaskEnvironment environment) {
    StepRule rule = StepRules.of(stepSearch);
    Matmul matmul = environment.matmul();
    Workers workers = environment.workers();
    float[] upper = stage.inverseUpper();
    float[] importance = stage.importance();
    // GPTQ overwrites the targets that it is given.
    Gptq.Result result =
        scheme.order() == ActOrder.NONE
            ? new Gptq(scheme, format, rule, blockSize, matmul)
                .quantize(target.clone(), tile.count(), in, upper, importance, workers)
            : new OrderedGptq(scheme, format, rule, blockSize, matmul)
                .quantizeStatic(target.clone(), tile.count(), in, upper, importance, workers);
    if (layer == null && rounds == 0) {
      return result;
    }
    float[] moments = factors.readMoments(environment.store());
    if (layer != null) {
      QuantizedLinear learned = learn(target, result, in, stage, moments, environment);
      result = new Gptq.Result(learned, learned.dequantize());
    }
    if (rounds == 0) {
      return result;
    }
    stage.damp(moments);
    return descent(matmul).improve(result, target, moments, workers);
  }

  /** In groups of columns that are neighbours by importance. */
  private OrderedGptq.GroupResult byGroup(
      float[] target, int in, StageFactors stage, TaskEnvironment environment) {
    Matmul matmul = environment.matmul();
    Workers workers = environment.workers();
    float[] importance = stage.importance();
    OrderedGptq gptq = new OrderedGptq(scheme, format, StepRules.of(stepSearch), blockSize, matmul);
    OrderedGptq.GroupResult result =
        gptq.quantizeByGroup(
            target.clone(), tile.count(), in, stage.inverseUpper(), importance, workers);
    if (rounds == 0) {
      return result;
    }
    float[] moments = factors.readMoments(environment.store());
    stage.damp(moments);
    return gptq.improve(result, descent(matmul), target, moments, importance, workers);
  }

  private CoordinateDescent descent(Matmul matmul) {
    return new CoordinateDescent(format, rounds, sweeps, matmul);
  }

  private void write(
      TaskEnvironment environment, FactorStep.Factors read, Consumer<PartWriter> result) {
    try (PartWriter writer = environment.store().write(part())) {
      result.accept(writer);
      read.tokens().ifPresent(tokens -> tokens.write(writer, module));
      writer.commit();
    }
  }

  /** LRQ by the linear's own error, on the targets that GPTQ had. */
  private QuantizedLinear learn(
      float[] target,
      Gptq.Result start,
      int in,
      StageFactors stage,
      float[] moments,
      TaskEnvironment environment) {
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
            moments,
            stage.inverseUpper(),
            steps,
            new SeededRandom(layer.seed(), block, role + " " + tile.start()),
            environment.workers())
        .linear();
  }
}
