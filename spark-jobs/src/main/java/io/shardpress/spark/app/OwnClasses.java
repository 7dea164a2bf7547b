package io.shardpress.spark.app;

import io.shardpress.kernels.metrics.PositionFigures;
import io.shardpress.spark.block.LearnedRows;
import io.shardpress.spark.engine.CheckParts;
import io.shardpress.spark.engine.CrossingClasses;
import io.shardpress.spark.engine.DigestStep;
import io.shardpress.spark.engine.FiniteCheck;
import io.shardpress.spark.engine.StepRunner;
import io.shardpress.spark.engine.TaskAnswer;
import io.shardpress.spark.evaluate.EvaluateTask;
import io.shardpress.spark.foreign.QuantizedFolder;
import io.shardpress.spark.learn.activation.ActivationScales;
import io.shardpress.spark.learn.blockwise.BlockwiseStep;
import io.shardpress.spark.learn.blockwise.ExpertStep;
import io.shardpress.spark.learn.coupled.CoupledRefinement;
import io.shardpress.spark.learn.endtoend.Tuning;
import io.shardpress.spark.learn.gptq.FactorStep;
import io.shardpress.spark.learn.gptq.SolveStep;
import io.shardpress.spark.learn.rounding.RoundingLearner;
import io.shardpress.spark.learn.scales.ScaleSteps;
import io.shardpress.spark.learn.transform.Transforms;
import io.shardpress.spark.output.CheckShardFile;
import io.shardpress.spark.output.PublishTask;
import io.shardpress.spark.output.PublishedShard;
import io.shardpress.spark.output.ShardHead;
import io.shardpress.spark.output.ShardStep;
import io.shardpress.spark.output.TensorSource;
import io.shardpress.spark.output.compressedtensors.CompressedTensorsPublication;
import io.shardpress.spark.output.dense.DensePublication;
import io.shardpress.spark.output.gguf.GgufPublication;
import io.shardpress.spark.sweep.SweepContext;
import java.util.ArrayList;
import java.util.List;

/** The classes of this jar that cross Spark. */
public final class OwnClasses implements CrossingClasses {
  @Override
  public List<Class<?>> roots() {
    List<Class<?>> roots =
        new ArrayList<>(
            List.of(
                Object[].class,
                TaskAnswer.class,
                TaskAnswer[].class,
                StepRunner.MakeParts.class,
                CheckParts.class,
                DigestStep.class,
                FiniteCheck.class,
                LearnedRows.class,
                FactorStep.class,
                SolveStep.class,
                BlockwiseStep.class,
                ExpertStep.class,
                PublishTask.class,
                PublishedShard.class,
                ShardStep.class,
                CheckShardFile.class,
                ShardHead.Safetensors.class,
                TensorSource.Copy.class,
                EvaluateTask.class,
                PositionFigures.class,
                float[][].class));
    roots.addAll(QuantizedFolder.CROSSING);
    roots.addAll(SweepContext.CROSSING);
    roots.addAll(RoundingLearner.CROSSING);
    roots.addAll(CoupledRefinement.CROSSING);
    roots.addAll(ScaleSteps.CROSSING);
    roots.addAll(Tuning.CROSSING);
    roots.addAll(Transforms.CROSSING);
    roots.addAll(ActivationScales.CROSSING);
    roots.addAll(CompressedTensorsPublication.CROSSING);
    roots.addAll(GgufPublication.CROSSING);
    roots.addAll(DensePublication.CROSSING);
    return roots;
  }
}
