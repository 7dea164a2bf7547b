package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * Steps on the scales of a block that a layer-wise learner has solved, by the error of its output.
 *
 * @param iterations steps per block; 0: none
 * @param batchSize calibration windows per step, drawn with replacement
 */
public record ScaleSettings(int iterations, int batchSize, long seed) implements Serializable {
  private static final ScaleSettings NONE = new ScaleSettings(0, 1, 0);

  /**
   * Those of a modifier; none where it has no such steps, nor where it learns by blocks: it then
   * takes them by itself, as a part of its learning.
   */
  public static ScaleSettings of(Modifier m) {
    if (m.learnsByBlocks() || !m.has(SettingKey.SCALE_ITERATIONS)) {
      return NONE;
    }
    return new ScaleSettings(
        m.whole(SettingKey.SCALE_ITERATIONS), m.whole(SettingKey.BATCH_SIZE), m.seed());
  }

  /**
   * Tasks that share a step: one for each window of the batch, but no more than a text has
   * partitions, as short texts are not worth that many.
   */
  public int tasks(int partitions) {
    return Math.min(batchSize, partitions);
  }

  /** Windows of a step's largest task. */
  public int together(int tasks) {
    return (batchSize + tasks - 1) / tasks;
  }
}
