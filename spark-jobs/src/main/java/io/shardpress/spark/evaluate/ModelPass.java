package io.shardpress.spark.evaluate;

import io.shardpress.kernels.nn.BlockActivations;
import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.RmsNorm;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.BlockPart;
import io.shardpress.spark.block.EmbeddingLookup;
import io.shardpress.spark.engine.TaskEnvironment;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * A pass of some windows through a model. One block's weights are in memory at a time, so that
 * memory does not grow with the model's depth.
 */
final class ModelPass {
  private final ModelSource model;
  private final int window;
  private final TaskEnvironment environment;

  ModelPass(ModelSource model, int window, TaskEnvironment environment) {
    this.model = model;
    this.window = window;
    this.environment = environment;
  }

  /**
   * What lm_head is applied to at the positions that predict a token of their window, all but each
   * window's last.
   *
   * @param ids tokens of whole windows
   * @return [windows·(T−1) × hidden]
   */
  float[] predicting(int[] ids) {
    BlockShape shape = model.shape();
    int hidden = shape.hidden();
    int windows = ids.length / window;
    float[] x = new float[Math.multiplyExact(ids.length, hidden)];
    new EmbeddingLookup(model.embedding(), model.embeddingScale(), environment.reader())
        .lookUp(ids, x);
    int batch =
        model.blocks().stream()
            .mapToInt(source -> Batches.windows(source.shape(), window, windows))
            .min()
            .orElse(1);
    // Blocks differ in their feed-forward's width alone, of which there are two at most.
    Map<Integer, BlockActivations> rooms = new HashMap<>();
    for (BlockSource source : model.blocks()) {
      DecoderBlock block = new DecoderBlock(source.shape(), window, environment.matmul());
      BlockActivations activations =
          rooms.computeIfAbsent(
              source.shape().ffn(), width -> new BlockActivations(source.shape(), batch * window));
      BlockWeights weights = source.load(environment.reader());
      Map<Stage, DecoderBlock> stages = stages(block, source);
      for (int first = 0; first < windows; first += batch) {
        int rows = Math.min(batch, windows - first) * window;
        int at = first * window * hidden;
        System.arraycopy(x, at, activations.input(), 0, rows * hidden);
        block.begin(weights, rows, activations, environment.workers());
        stages.forEach(
            (stage, rounding) -> rounding.run(stage, weights, activations, environment.workers()));
        System.arraycopy(activations.output(), 0, x, at, rows * hidden);
      }
    }
    return normed(x, windows);
  }

  /** The block as it is in each stage, in order: stages may differ in how inputs are rounded. */
  private Map<Stage, DecoderBlock> stages(DecoderBlock block, BlockSource source) {
    Map<Stage, DecoderBlock> stages = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      stages.put(stage, block);
    }
    if (source.activations() != null) {
      source
          .activations()
          .load(environment.reader())
          .forEach((stage, rounding) -> stages.put(stage, block.with(rounding)));
    }
    return stages;
  }

  private float[] normed(float[] x, int windows) {
    int hidden = model.shape().hidden();
    int kept = (window - 1) * hidden;
    float[] norm = BlockSource.vector(model.finalNorm(), environment.reader());
    if (model.traits().normsFromOne()) {
      BlockPart.addOne(norm);
    }
    float[] predicting = new float[windows * kept];
    for (int i = 0; i < windows; i++) {
      System.arraycopy(x, i * window * hidden, predicting, i * kept, kept);
    }
    RmsNorm.forward(
        windows * (window - 1),
        hidden,
        predicting,
        norm,
        model.shape().epsilon(),
        predicting,
        environment.workers());
    return predicting;
  }
}
