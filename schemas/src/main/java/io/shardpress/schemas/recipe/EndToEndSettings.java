package io.shardpress.schemas.recipe;

import java.io.Serializable;

/**
 * Steps on the scales and norms of the whole quantized model by the divergence of its output.
 *
 * @param iterations steps
 * @param batchSize calibration windows of a step
 * @param learningRate of the logarithms, after a warm-up of five steps; it falls to 0
 * @param heldBack share of the windows that decide which steps are kept
 * @param integers share of each linear's integers that are learned, too: those nearest to a
 *     boundary of rounding; 0: none
 * @param integerRate learning rate of their latents, in steps of the grid; 0: by the bits
 * @param hiddenStates weight of the residual streams' distance in the loss, with integers only
 */
public record EndToEndSettings(
    int iterations,
    int batchSize,
    double learningRate,
    double heldBack,
    double integers,
    double integerRate,
    double hiddenStates,
    long seed)
    implements Serializable {
  /** Those of an end-to-end modifier. */
  public static EndToEndSettings of(Modifier m) {
    return new EndToEndSettings(
        m.whole(SettingKey.ITERATIONS),
        m.whole(SettingKey.BATCH_SIZE),
        m.real(SettingKey.LEARNING_RATE),
        m.real(SettingKey.HELD_BACK),
        m.real(SettingKey.INTEGERS),
        m.real(SettingKey.INTEGER_RATE),
        m.real(SettingKey.HIDDEN_STATES),
        m.seed());
  }

  /** Whether integers are learned. */
  public boolean learnsIntegers() {
    return integers > 0;
  }

  /** The learning rate of latents of so many bits: with fewer bits more of them must move. */
  public double integerRate(int bits) {
    if (integerRate > 0) {
      return integerRate;
    }
    return bits <= 2 ? 0.03 : bits == 3 ? 0.015 : 0.008;
  }
}
