package io.shardpress.spark.evaluate;

import io.shardpress.kernels.metrics.DistributionComparison;
import io.shardpress.kernels.metrics.PositionFigures;
import io.shardpress.kernels.nn.OutputHead;
import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.engine.ClusterTask;
import io.shardpress.spark.engine.TaskEnvironment;

/**
 * Compares two models on some windows of held-out text; answers with figures of the positions that
 * predict tokens 2…T of each window, in their order. Nobody compares two tasks.
 *
 * @param windows tokens, [windows][T]
 */
@SuppressWarnings("ArrayRecordComponent")
public record EvaluateTask(ModelSource original, ModelSource compressed, int[][] windows)
    implements ClusterTask<PositionFigures> {
  // 32 MiB of f32 in a tile of lm_head, and in the logits of each model.
  private static final int TILE_ELEMENTS = 1 << 23;

  @Override
  public PositionFigures run(TaskEnvironment environment) {
    int window = windows[0].length;
    int[] ids = new int[windows.length * window];
    int[] targets = new int[windows.length * (window - 1)];
    for (int i = 0; i < windows.length; i++) {
      System.arraycopy(windows[i], 0, ids, i * window, window);
      System.arraycopy(windows[i], 1, targets, i * (window - 1), window - 1);
    }
    float[] x = new ModelPass(original, window, environment).predicting(ids);
    float[] y = new ModelPass(compressed, window, environment).predicting(ids);
    PositionFigures figures = compare(x, y, targets, environment);
    checkFinite(figures);
    return figures;
  }

  private PositionFigures compare(
      float[] x, float[] y, int[] targets, TaskEnvironment environment) {
    int vocabulary = original.vocabulary();
    int widest = Math.max(original.head().in(), compressed.head().in());
    int fitting = TILE_ELEMENTS / Math.max(widest, targets.length);
    int multiple = WeightSource.ROW_MULTIPLE;
    int tile = Math.min(vocabulary, Math.max(multiple, fitting / multiple * multiple));
    float[] originalLogits = new float[Math.multiplyExact(targets.length, tile)];
    float[] compressedLogits = new float[originalLogits.length];
    DistributionComparison comparison = new DistributionComparison(targets);
    for (int first = 0; first < vocabulary; first += tile) {
      int tokens = Math.min(tile, vocabulary - first);
      logits(original, x, targets.length, first, tokens, originalLogits, environment);
      logits(compressed, y, targets.length, first, tokens, compressedLogits, environment);
      comparison.tile(first, tokens, originalLogits, compressedLogits, environment.workers());
    }
    return comparison.figures();
  }

  private static void logits(
      ModelSource model,
      float[] normed,
      int positions,
      int first,
      int tokens,
      float[] logits,
      TaskEnvironment environment) {
    float[] head = model.head().rows(environment.reader(), first, tokens);
    new OutputHead(model.head().in(), model.traits().logitCap(), environment.matmul())
        .logits(normed, positions, head, tokens, logits, environment.workers());
  }

  private void checkFinite(PositionFigures figures) {
    for (int i = 0; i < figures.count(); i++) {
      if (!Double.isFinite(figures.originalNll()[i])) {
        throw overflow(original, figures.originalNll()[i]);
      }
      if (!Double.isFinite(figures.compressedNll()[i]) || !Double.isFinite(figures.kl()[i])) {
        throw overflow(compressed, figures.compressedNll()[i]);
      }
    }
  }

  private static CheckpointException overflow(ModelSource model, double found) {
    return new CheckpointException(
        model.uri()
            + ": found a negative log-likelihood of "
            + found
            + ", wanted a finite one; its activations overflow f32, so its weights are damaged");
  }
}
