package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * Steps on the scales and norms of the whole quantized model by the divergence of its output.
 *
 * @param iterations steps
 * @param batchSize calibration windows of a step
 * @param learningRate of the logarithms, after a warm-up of five steps; it falls to 0
 * @param heldBack share of the windows that decide which steps are kept
 */
public record EndToEndSettings(
    int iterations, int batchSize, double learningRate, double heldBack, long seed)
    implements Serializable {
  /** Those of an end-to-end modifier. */
  public static EndToEndSettings of(Modifier m) {
    return new EndToEndSettings(
        m.whole(SettingKey.ITERATIONS),
        m.whole(SettingKey.BATCH_SIZE),
        m.real(SettingKey.LEARNING_RATE),
        m.real(SettingKey.HELD_BACK),
        m.seed());
  }
}
