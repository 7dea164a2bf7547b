package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * Steps on the scales of a block that a layer-wise learner has solved, by the error of its output.
 *
 * @param iterations steps per block; 0: none
 * @param batchSize calibration windows per step, drawn with replacement
 */
public record ScaleSettings(int iterations, int batchSize, long seed) implements Serializable {
  /**
   * Those of a modifier that learns from activations; block-wise ones take such steps by
   * themselves, and so none here.
   */
  public static ScaleSettings of(Modifier m) {
    int iterations = m.learnsByBlocks() ? 0 : m.whole(SettingKey.SCALE_ITERATIONS);
    return new ScaleSettings(iterations, m.whole(SettingKey.BATCH_SIZE), m.seed());
  }

  /**
   * Tasks that share a step: one for each window of the batch, but no more than a text has
   * partitions, as short texts are not worth that many.
   */
  public int tasks(int partitions) {
    return Math.min(batchSize, partitions);
  }
}
